#include "base/table.h"

#include "base/text.h"

#include <algorithm>
#include <numeric>

namespace scad::base {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 4; // a flexible column is not cut below this

} // namespace

void Table::fit(std::vector<std::size_t>& widths, std::vector<std::size_t>& shown, std::size_t width) const {
    const auto total = [&] {
        std::size_t sum = shown.empty() ? 0 : gap * (shown.size() - 1);
        for (const std::size_t i : shown) sum += widths[i];
        return sum;
    };
    // A column at a time from the widest flexible one.
    const auto cut = [&](bool below_titles) {
        for (std::size_t over = total(); over > width; --over) {
            std::size_t* widest = nullptr;
            for (const std::size_t i : shown) {
                const std::size_t title = below_titles ? 0 : display_width(columns_[i].title);
                const bool may_shrink = columns_[i].flexible && widths[i] > std::max(narrowest, title);
                if (may_shrink && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
            }
            if (widest == nullptr) return;
            --*widest;
        }
    };
    cut(false);
    while (total() > width) {
        const auto spare =
            std::max_element(shown.begin(), shown.end(), [&](std::size_t left, std::size_t right) {
                return columns_[left].spare < columns_[right].spare;
            });
        if (spare == shown.end() || columns_[*spare].spare == 0) break;
        shown.erase(spare);
    }
    cut(true);
}

std::string Table::render(const Terminal& terminal, std::size_t width) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t widest = display_width(columns_[i].title);
        for (const auto& row : rows_) {
            if (i < row.size()) widest = std::max(widest, display_width(row[i].text));
        }
        widths.push_back(widest);
    }
    std::vector<std::size_t> shown(columns_.size());
    std::iota(shown.begin(), shown.end(), std::size_t{0});
    if (width > 0) fit(widths, shown, width);

    std::string text;
    const auto add_line = [&](const std::vector<Cell>& row) {
        std::string line;
        std::size_t blanks = 0; // owed; those at the end of the line are never paid
        for (const std::size_t i : shown) {
            if (i >= row.size()) break;
            if (i != shown.front()) blanks += gap;
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
