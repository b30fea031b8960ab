#pragma once

#include "base/terminal.h"

#include <cstddef>
#include <string>
#include <vector>

namespace scad::base {

// Columns for a person: each as wide as it needs. So that a line fits `width`, flexible ones are cut with
// "…", though not below their titles; then columns are left out; and what remains is cut further.
class Table {
  public:
    struct Column {
        std::string title;
        bool right = false;    // numbers
        bool flexible = false; // may be cut
        int spare = 0;         // above 0: may be left out, the highest first
    };
    struct Cell {
        std::string text; // safe already
        Style style = Style::plain;
    };
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.empty(); }
    // A title line and the rows, each ending in a newline; no trailing blanks.
    std::string render(const Terminal& terminal, std::size_t width) const;

  private:
    void fit(std::vector<std::size_t>& widths, std::vector<std::size_t>& shown, std::size_t width) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

// Machine-readable records: fields joined by tabs, C-quoted, newline at the end; with `nul`: fields as they
// are (tab and newline become spaces), NUL at the end. An empty field is "-".
std::string porcelain_record(const std::vector<std::string>& fields, bool nul);

} // namespace scad::base
