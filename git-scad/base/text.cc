#include "base/text.h"

#include "base/error.h"
#include "base/unicode.h"

#include <cctype>
#include <cerrno>
#include <ctime>
#include <sys/random.h>

#define OPENSSL_SUPPRESS_DEPRECATED // the digest itself: the EVP interface costs each start of a program 1.5
                                    // ms
#include <openssl/sha.h>

namespace scad::base {

namespace {

// What a code point (or a byte that is none) becomes when it must be seen.
std::string shown(std::string_view text, const Decoded& next) {
    if (!next.valid) return fmt::format("<{:02X}>", static_cast<unsigned>(next.point));
    if (next.point == 0x7f) return "^?";
    if (next.point < 0x20) return {'^', static_cast<char>(next.point + 0x40)};
    if (is_hidden(next.point)) return fmt::format("<U+{:04X}>", static_cast<unsigned>(next.point));
    return std::string(text.substr(0, next.length));
}

bool matches_set(std::string_view set, char32_t point) {
    bool negated = false;
    if (!set.empty() && (set.front() == '!' || set.front() == '^')) {
        negated = true;
        set.remove_prefix(1);
    }
    const auto take = [&set] {
        if (set.size() > 1 && set.front() == '\\') set.remove_prefix(1);
        const Decoded next = decode_utf8(set);
        set.remove_prefix(next.length);
        return next.point;
    };
    bool found = false;
    while (!set.empty()) {
        const char32_t first = take();
        char32_t last = first;
        if (set.size() > 1 && set.front() == '-') {
            set.remove_prefix(1);
            last = take();
        }
        found = found || (first <= point && point <= last);
    }
    return found != negated;
}

// Where the set that begins after '[' ends (at its ']'); npos: nowhere, so '[' is an ordinary character.
std::size_t end_of_set(std::string_view pattern) {
    std::size_t at = !pattern.empty() && (pattern.front() == '!' || pattern.front() == '^') ? 1 : 0;
    for (const std::size_t first = at; at < pattern.size(); ++at) {
        if (pattern[at] == '\\') {
            ++at;
        } else if (pattern[at] == ']' && at != first) {
            return at;
        }
    }
    return std::string_view::npos;
}

// Matches one pattern element (not '*') against the start of `text`; takes both away when it matches.
bool match_one(std::string_view& pattern, std::string_view& text) {
    const Decoded next = decode_utf8(text);
    if (pattern.empty() || next.length == 0) return false;
    if (pattern.front() == '[') {
        const std::size_t end = end_of_set(pattern.substr(1));
        if (end != std::string_view::npos) {
            if (!matches_set(pattern.substr(1, end), next.point)) return false;
            pattern.remove_prefix(end + 2);
            text.remove_prefix(next.length);
            return true;
        }
    }
    if (pattern.front() == '?') {
        pattern.remove_prefix(1);
        text.remove_prefix(next.length);
        return true;
    }
    const std::size_t escape = pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0;
    if (pattern[escape] != text.front()) return false;
    pattern.remove_prefix(escape + 1);
    text.remove_prefix(1);
    return true;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits at the start of `text`, taken away; empty when there are none or the number is too large.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    while (!text.empty() && is_digit(text.front())) {
        if (__builtin_mul_overflow(number, std::uint64_t{10}, &number) ||
            __builtin_add_overflow(number, static_cast<std::uint64_t>(text.front() - '0'), &number)) {
            return std::nullopt;
        }
        text.remove_prefix(1);
    }
    return number;
}

std::optional<std::uint64_t> size_unit(std::string_view unit) {
    const std::string name = lower(unit);
    if (name.empty() || name == "b") return 1;
    constexpr std::string_view letters = "kmgtp";
    const std::size_t power = letters.find(name.front());
    const std::string rest = name.substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
        return std::nullopt;
    const std::uint64_t step = rest == "b" ? 1000 : 1024;
    std::uint64_t factor = step;
    for (std::size_t i = 0; i < power; ++i) factor *= step;
    return factor;
}

} // namespace

std::string visible(std::string_view text, bool keep_lines) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Decoded next = decode_utf8(text);
        if (keep_lines && (next.point == '\n' || next.point == '\t')) {
            result += text.front();
        } else {
            result += shown(text, next);
        }
        text.remove_prefix(next.length);
    }
    return result;
}

std::string one_line(std::string_view text, std::size_t columns) {
    std::string result;
    std::size_t width = 0;
    std::size_t room_for_mark = 0; // bytes of `result` that leave a column for "…"
    while (!text.empty()) {
        const Decoded next = decode_utf8(text);
        std::string piece;
        std::size_t length = next.length;
        if (text.starts_with("\r\n")) {
            piece = " ";
            length = 2;
        } else if (next.point == '\n' || next.point == '\t') {
            piece = " ";
        } else {
            piece = shown(text, next);
        }
        const std::size_t wide = display_width(piece);
        if (columns > 0 && width + wide > columns) return result.substr(0, room_for_mark) + "…";
        width += wide;
        result += piece;
        if (width < columns) room_for_mark = result.size();
        text.remove_prefix(length);
    }
    return result;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Decoded next = decode_utf8(text);
        width += static_cast<std::size_t>(columns_of(next.point));
        text.remove_prefix(next.length);
    }
    return width;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    if (text.empty()) return parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string> lines(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    return split(text, '\n');
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string result;
    for (const std::string& part : parts) {
        if (&part != &parts.front()) result += separator;
        result += part;
    }
    return result;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool glob_match(std::string_view pattern, std::string_view text) {
    // Only the last '*' is ever gone back to, so that no pattern is slow.
    std::optional<std::string_view> after_star;
    std::string_view star_text;
    for (;;) {
        if (pattern.starts_with('*')) {
            pattern.remove_prefix(1);
            after_star = pattern;
            star_text = text;
            continue;
        }
        if (pattern.empty() && text.empty()) return true;
        if (match_one(pattern, text)) continue;
        if (!after_star || star_text.empty()) return false;
        star_text.remove_prefix(decode_utf8(star_text).length);
        pattern = *after_star;
        text = star_text;
    }
}

std::string c_quote(std::string_view field) {
    constexpr std::string_view named = "\a\b\t\n\v\f\r\"\\";
    constexpr std::string_view names = "abtnvfr\"\\";
    std::string quoted = "\"";
    bool needed = false;
    for (const char c : field) {
        const auto byte = static_cast<unsigned char>(c);
        const std::size_t at = named.find(c);
        if (at != std::string_view::npos) {
            quoted += '\\';
            quoted += names[at];
        } else if (byte < 0x20 || byte >= 0x7f) {
            quoted += fmt::format("\\{:03o}", byte);
        } else {
            quoted += c;
            continue;
        }
        needed = true;
    }
    return needed ? quoted + '"' : std::string(field);
}

std::string shell_quote(std::string_view word) {
    constexpr std::string_view safe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.front() != '=' && word.find_first_not_of(safe) == std::string_view::npos) {
        return std::string(word);
    }
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted += c;
        }
    }
    return quoted + '\'';
}

std::string shell_join(const std::vector<std::string>& words) {
    std::vector<std::string> quoted;
    quoted.reserve(words.size());
    for (const auto& word : words) quoted.push_back(shell_quote(word));
    return join(quoted, " ");
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto whole = take_number(text);
    if (!whole) return std::nullopt;
    std::uint64_t fraction = 0; // a fraction, in units of 1/scale
    std::uint64_t scale = 1;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        if (text.empty() || !is_digit(text.front())) return std::nullopt;
        for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
            if (scale >= 1'000) continue;
            fraction = fraction * 10 + static_cast<std::uint64_t>(text.front() - '0');
            scale *= 10;
        }
    }
    if (text.size() > 1 && text.front() == ' ') text.remove_prefix(1);
    const auto unit = size_unit(text);
    if (!unit || (*unit == 1 && scale > 1)) return std::nullopt;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(*whole, *unit, &bytes) ||
        __builtin_add_overflow(bytes, *unit / scale * fraction + *unit % scale * fraction / scale, &bytes)) {
        return std::nullopt;
    }
    return bytes;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    constexpr std::string_view units = "dhms";
    constexpr std::uint64_t seconds[] = {86400, 3600, 60, 1};
    constexpr std::uint64_t most =
        std::uint64_t{100} * 366 * 86400; // a century: in milliseconds it still fits everywhere
    std::uint64_t total = 0;
    std::size_t next_unit = 0; // each unit once, the larger one first
    bool first = true;
    while (first || !text.empty()) {
        const auto number = take_number(text);
        if (!number || *number > most) return std::nullopt;
        std::size_t unit = 3;
        if (!text.empty()) {
            unit = units.find(text.front());
            text.remove_prefix(1);
        } else if (!first) {
            return std::nullopt; // "1h30"
        }
        if (unit == std::string_view::npos || unit < next_unit) return std::nullopt;
        next_unit = unit + 1;
        total += *number * seconds[unit];
        if (total > most) return std::nullopt;
        first = false;
    }
    return std::chrono::seconds(static_cast<std::int64_t>(total));
}

std::string format_size(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    constexpr std::string_view letters = "KMGTPE";
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < letters.size()) {
        value /= 1024;
        ++unit;
    }
    std::string number = fmt::format("{:.1f}", value);
    if (number.ends_with(".0")) number.resize(number.size() - 2);
    return fmt::format("{} {}iB", number, letters[unit]);
}

std::string format_duration(std::chrono::seconds duration) {
    std::int64_t left = duration.count();
    std::string text;
    if (left < 0) {
        text = "-";
        left = -left;
    }
    constexpr std::pair<std::int64_t, char> units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    const std::size_t sign = text.size();
    for (const auto& [seconds, letter] : units) {
        if (left / seconds == 0 && (seconds > 1 || text.size() > sign)) continue;
        text += fmt::format("{}{}", left / seconds, letter);
        left %= seconds;
    }
    return text;
}

std::string format_age(std::int64_t then, std::int64_t now) {
    const std::int64_t seconds = now - then;
    if (seconds < 0) return "in the future";
    constexpr std::int64_t day = 86400;
    // Up to `below` of them the unit is the one that tells enough.
    struct Unit {
        std::int64_t below;
        std::int64_t seconds;
        std::string_view name;
    };
    constexpr Unit units[] = {{90, 1, "second"},
                              {90 * 60, 60, "minute"},
                              {36 * 3600, 3600, "hour"},
                              {14 * day, day, "day"},
                              {70 * day, 7 * day, "week"},
                              {365 * day, 30 * day, "month"},
                              {INT64_MAX, 365 * day, "year"}};
    for (const Unit& unit : units) {
        if (seconds >= unit.below) continue;
        const std::int64_t count = (seconds + unit.seconds / 2) / unit.seconds;
        return fmt::format("{} {}{} ago", count, unit.name, count == 1 ? "" : "s");
    }
    return {};
}

std::int64_t unix_now() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

std::string sha256_hex(std::string_view data) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data.data(), data.size());
    SHA256_Final(digest, &context);
    std::string hex;
    for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

std::string random_hex(std::size_t bytes) {
    std::string hex;
    hex.reserve(bytes * 2);
    while (hex.size() < bytes * 2) {
        unsigned char byte = 0;
        if (::getrandom(&byte, 1, 0) != 1) {
            if (errno == EINTR) continue;
            throw system_error(errno, "cannot get random bytes");
        }
        hex += fmt::format("{:02x}", byte);
    }
    return hex;
}

} // namespace scad::base
