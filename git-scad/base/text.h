#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::base {

// Foreign text made harmless for a terminal: C0 (but newline and tab when `keep_lines`), DEL, C1 (also
// U+0080..9F in UTF-8), bidirectional and other invisible format characters become visible ("^[", "<9B>",
// "<U+202E>"); invalid UTF-8 bytes become "<XX>".
std::string visible(std::string_view text, bool keep_lines = false);
// visible() on one line: newlines and tabs become spaces, at most `columns` wide ("…" at the end when cut; 0:
// no limit).
std::string one_line(std::string_view text, std::size_t columns = 0);
std::size_t display_width(std::string_view text); // columns, wide characters count two

std::vector<std::string> split(std::string_view text,
                               char separator);        // "a,,b" -> "a", "", "b"; "" -> nothing
std::vector<std::string> lines(std::string_view text); // without newlines; no empty last one
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
bool glob_match(std::string_view pattern, std::string_view text); // * ? [a-z], as fnmatch(3) without flags

// A field of porcelain output, C-quoted as git does with core.quotePath (quoted only when it needs to be).
std::string c_quote(std::string_view field);
std::string shell_quote(std::string_view word); // for commands that a person pastes
std::string shell_join(
    const std::vector<std::string>& words); // a whole command, each word quoted where need be

// "16GiB", "512MB", "4096": bytes. "2h", "20m", "90s", "1h30m", "45": seconds. Empty when malformed or too
// large.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
std::string format_size(std::uint64_t bytes);                // "1.5 GiB"
std::string format_duration(std::chrono::seconds duration);  // "1h30m", "45s"
std::string format_age(std::int64_t then, std::int64_t now); // "3 minutes ago"

std::int64_t unix_now(); // seconds; only main and the supervisor ask the clock
std::string sha256_hex(std::string_view data);
std::string random_hex(std::size_t bytes); // getrandom(2)

} // namespace scad::base
