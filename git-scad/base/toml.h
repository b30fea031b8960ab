#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scad::base {

// A place in a text file; lines and columns count from 1, columns in characters.
struct Place {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    bool operator==(const Place&) const = default;
};

// "file:line:col: message", the line of `source` and a caret below the column. No trailing newline.
std::string message_at(const Place& place, std::string_view source, std::string_view message);

} // namespace scad::base
