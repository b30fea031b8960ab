#include "base/toml.h"

#include "base/error.h"
#include "base/text.h"
#include "base/unicode.h"

namespace scad::base {

namespace {

// Longer lines are no help to anybody, and their caret would be off the screen.
constexpr std::size_t line_limit = 400;

std::string_view line_of(std::string_view source, std::uint32_t number) {
    for (; number > 1; --number) {
        const std::size_t end = source.find('\n');
        if (end == std::string_view::npos) return {};
        source.remove_prefix(end + 1);
    }
    std::string_view line = source.substr(0, source.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
    std::size_t bytes = 0;
    for (; count > 0 && bytes < text.size(); --count) bytes += decode_utf8(text.substr(bytes)).length;
    return text.substr(0, bytes);
}

} // namespace

std::string message_at(const Place& place, std::string_view source, std::string_view message) {
    if (place.line == 0) return fmt::format("{}: {}", place.file, message);
    std::string text = fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, message);
    const std::string_view line = line_of(source, place.line);
    if (trim(line).empty() || place.column == 0 || line.size() > line_limit) return text;
    text += '\n' + visible(line, true) + '\n';
    // Below the character whatever the width of a tab: tabs stay, all else becomes blanks.
    for (std::string_view before = first_characters(line, place.column - 1); !before.empty();) {
        const Decoded next = decode_utf8(before);
        if (next.point == '\t') {
            text += '\t';
        } else {
            text.append(display_width(visible(before.substr(0, next.length))), ' ');
        }
        before.remove_prefix(next.length);
    }
    return text + '^';
}

} // namespace scad::base
