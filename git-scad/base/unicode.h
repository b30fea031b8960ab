#pragma once

#include <cstddef>
#include <string_view>

namespace scad::base {

// One code point at the start of a text. Not valid (RFC 3629: cut short, overlong, a surrogate, above
// U+10FFFF): length is 1 and point the byte.
struct Decoded {
    char32_t point = 0;
    std::size_t length = 0; // bytes; 0 at the end of the text
    bool valid = false;
};
Decoded decode_utf8(std::string_view text);

// Columns of a terminal that a printable code point takes: 0 (combining marks), 1 or 2 (Unicode 14, East
// Asian Width W and F). No locale is asked.
int columns_of(char32_t point);

// Whether a code point is invisible but has an effect, or can stand for nothing: C0, DEL, C1, bidirectional
// controls (UAX #9), zero-width and other format characters, fillers, tags.
bool is_hidden(char32_t point);

} // namespace scad::base
