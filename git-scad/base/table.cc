#include "base/table.h"

#include "base/text.h"

#include <algorithm>

namespace scad::base {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 4; // a flexible column is not cut below this

} // namespace

std::string Table::render(const Terminal& terminal, std::size_t width) const {
    std::vector<std::size_t> widths;
    std::size_t total = columns_.empty() ? 0 : gap * (columns_.size() - 1);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t widest = display_width(columns_[i].title);
        for (const auto& row : rows_) {
            if (i < row.size()) widest = std::max(widest, display_width(row[i].text));
        }
        widths.push_back(widest);
        total += widest;
    }
    while (width > 0 && total > width) { // a column at a time from the widest flexible one
        std::size_t* widest = nullptr;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const bool may_shrink = columns_[i].flexible && widths[i] > narrowest;
            if (may_shrink && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
        }
        if (widest == nullptr) break;
        --*widest;
        --total;
    }

    std::string text;
    const auto add_line = [&](const std::vector<Cell>& row) {
        std::string line;
        std::size_t blanks = 0; // owed; those at the end of the line are never paid
        for (std::size_t i = 0; i < columns_.size() && i < row.size(); ++i) {
            if (i > 0) blanks += gap;
            const std::string cell = one_line(row[i].text, columns_[i].flexible ? widths[i] : 0);
            const std::size_t wide = display_width(cell);
            const std::size_t padding = widths[i] > wide ? widths[i] - wide : 0;
            if (columns_[i].right) blanks += padding;
            if (!cell.empty()) {
                line.append(blanks, ' ');
                line += terminal.style(row[i].style, cell);
                blanks = 0;
            } else {
                blanks += wide;
            }
            if (!columns_[i].right) blanks += padding;
        }
        text += line + '\n';
    };
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.push_back({column.title, Style::bold});
    add_line(titles);
    for (const auto& row : rows_) add_line(row);
    return text;
}

std::string porcelain_record(const std::vector<std::string>& fields, bool nul) {
    std::string record;
    for (const std::string& field : fields) {
        if (&field != &fields.front()) record += '\t';
        if (field.empty()) {
            record += '-';
        } else if (nul) {
            std::string plain = field;
            for (char& c : plain) {
                if (c == '\t' || c == '\n' || c == '\0') c = ' ';
            }
            record += plain;
        } else {
            record += c_quote(field);
        }
    }
    return record + (nul ? '\0' : '\n');
}

} // namespace scad::base
