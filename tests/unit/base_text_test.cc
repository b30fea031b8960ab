// Would catch: an escape sequence that reaches the terminal, porcelain that git's readers cannot unquote,
// sizes and times that are misread.
#include "base/text.h"
#include "base/unicode.h"

#include <catch2/catch.hpp>

using namespace scad::base;
using namespace std::string_literals;

TEST_CASE("a command that can be pasted", "[base][text]") {
    CHECK(scad::base::shell_join({"sh", "-c", "exit 42"}) == "sh -c 'exit 42'");
    CHECK(scad::base::shell_join({"echo", "", "it's"}) == "echo '' 'it'\\''s'");
    CHECK(scad::base::shell_join({}).empty());
}

TEST_CASE("visible makes foreign text harmless", "[base][text]") {
    struct Case {
        std::string text;
        std::string lines_kept;
        std::string all_shown;
    };
    const auto c = GENERATE(values<Case>({
        {"", "", ""},
        {"plain", "plain", "plain"},
        {"a\nb\tc", "a\nb\tc", "a^Jb^Ic"},
        {"\033[31mred\033[m", "^[[31mred^[[m", "^[[31mred^[[m"},
        {"a\0b"s, "a^@b", "a^@b"},
        {"\r\a\b\x7f", "^M^G^H^?", "^M^G^H^?"},
        {"\u009b31m", "<U+009B>31m", "<U+009B>31m"}, // C1 in UTF-8
        {"\x9b"s + "31m", "<9B>31m", "<9B>31m"},     // C1 as a byte
        {"a\u202eb\u2066c", "a<U+202E>b<U+2066>c", "a<U+202E>b<U+2066>c"},
        {"\u200bx\ufeff\u2028", "<U+200B>x<U+FEFF><U+2028>", "<U+200B>x<U+FEFF><U+2028>"},
        {"\U000e0041", "<U+E0041>", "<U+E0041>"}, // a tag
        {"grüße 日本 🙂", "grüße 日本 🙂", "grüße 日本 🙂"},
        {"\xc3", "<C3>", "<C3>"},                                     // cut short
        {"\xc0\xaf", "<C0><AF>", "<C0><AF>"},                         // overlong
        {"\xe0\x80\xaf", "<E0><80><AF>", "<E0><80><AF>"},             // overlong
        {"\xed\xa0\x80", "<ED><A0><80>", "<ED><A0><80>"},             // a surrogate
        {"\xf4\x90\x80\x80", "<F4><90><80><80>", "<F4><90><80><80>"}, // above U+10FFFF
        {"\xff\xfe"s + "a", "<FF><FE>a", "<FF><FE>a"},
    }));
    CHECK(visible(c.text, true) == c.lines_kept);
    CHECK(visible(c.text) == c.all_shown);
    CHECK(visible(visible(c.text)) == visible(c.text));
}

TEST_CASE("one_line cuts by columns", "[base][text]") {
    CHECK(one_line("a\nb\tc\r\nd") == "a b c d");
    CHECK(one_line("abcdef", 6) == "abcdef");
    CHECK(one_line("abcdef", 5) == "abcd…");
    CHECK(one_line("abcdef", 1) == "…");
    CHECK(one_line("日本語", 6) == "日本語");
    CHECK(one_line("日本語", 5) == "日本…");
    CHECK(one_line("日本語", 4) == "日…");
    CHECK(one_line("ab\033c", 4) == "ab…"); // an escape is shown whole or not at all
    CHECK(one_line("ab\033", 4) == "ab^[");
    CHECK(one_line("abc\xcc\x81", 3) == "abc\xcc\x81"); // a combining mark takes no column
    for (std::size_t width = 1; width < 12; ++width)
        CHECK(display_width(one_line("a日\033本\xffz", width)) <= width);
}

TEST_CASE("display width", "[base][text]") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("é") == 1);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("🙂") == 2);
    CHECK(columns_of(0x1100) == 2);
    CHECK(columns_of(0x1160) == 0);
}

TEST_CASE("splitting and joining", "[base][text]") {
    using Words = std::vector<std::string>;
    CHECK(split("", ',').empty());
    CHECK(split("a,,b", ',') == Words{"a", "", "b"});
    CHECK(split(",", ',') == Words{"", ""});
    CHECK(lines("").empty());
    CHECK(lines("a\n") == Words{"a"});
    CHECK(lines("a\n\nb") == Words{"a", "", "b"});
    CHECK(join({}, ", ").empty());
    CHECK(join({"a", "", "b"}, "-") == "a--b");
    CHECK(trim(" \t a b \r\n") == "a b");
    CHECK(trim(" \n").empty());
}

TEST_CASE("glob", "[base][text]") {
    struct Case {
        std::string pattern, text;
        bool matches;
    };
    const auto c = GENERATE(values<Case>({
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "a/b", true},
        {"a*c", "abbc", true},
        {"a*c", "abbd", false},
        {"**a", "bca", true},
        {"loader-*", "loader-12", true},
        {"loader-?", "loader-12", false},
        {"?", "ü", true},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[^a-c]x", "dx", true},
        {"[]a]", "]", true},
        {"[a-]", "-", true},
        {"[ä-ü]", "ö", true},
        {"[a", "[a", true},
        {"[a", "a", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\", "a\\", true},
        {"*.md", "tasks/x.md", true},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a'), false},
    }));
    INFO(c.pattern << " on " << c.text.substr(0, 40));
    CHECK(glob_match(c.pattern, c.text) == c.matches);
}

TEST_CASE("quoting", "[base][text]") {
    CHECK(c_quote("plain name") == "plain name");
    CHECK(c_quote("") == "");
    CHECK(c_quote("a\tb\n\"\\") == R"("a\tb\n\"\\")");
    CHECK(c_quote("\a\b\v\f\r") == R"("\a\b\v\f\r")");
    CHECK(c_quote("ü\x01\x7f") == R"("\303\274\001\177")");
    CHECK(c_quote("\0"s) == R"("\000")");
    CHECK(shell_quote("a/b-c.d=e") == "a/b-c.d=e");
    CHECK(shell_quote("") == "''");
    CHECK(shell_quote("it's") == "'it'\\''s'");
    CHECK(shell_quote("$(x)") == "'$(x)'");
    CHECK(shell_quote("~") == "'~'");
    CHECK(shell_quote("=x") == "'=x'");
}

TEST_CASE("sizes", "[base][text]") {
    struct Case {
        std::string text;
        std::optional<std::uint64_t> bytes;
    };
    const auto c = GENERATE(values<Case>({
        {"0", 0},
        {"4096", 4096},
        {"512B", 512},
        {"1k", 1024},
        {"1KiB", 1024},
        {"512MB", 512'000'000},
        {"16GiB", std::uint64_t{16} << 30},
        {"16g", std::uint64_t{16} << 30},
        {"16 GiB", std::uint64_t{16} << 30},
        {"1.5GiB", std::uint64_t{3} << 29},
        {"0.25M", std::uint64_t{1} << 18},
        {"1PiB", std::uint64_t{1} << 50},
        {"", {}},
        {"GiB", {}},
        {"-1", {}},
        {"+1", {}},
        {"1.5", {}},
        {"1.GiB", {}},
        {"1e3", {}},
        {"1 ", {}},
        {"1GiBs", {}},
        {"1iB", {}},
        {"18446744073709551616", {}},
        {"20000000PiB", {}},
    }));
    INFO(c.text);
    CHECK(parse_size(c.text) == c.bytes);
}

TEST_CASE("durations", "[base][text]") {
    struct Case {
        std::string text;
        std::optional<std::int64_t> seconds;
    };
    const auto c = GENERATE(values<Case>({
        {"0", 0},
        {"45", 45},
        {"90s", 90},
        {"20m", 1200},
        {"2h", 7200},
        {"1h30m", 5400},
        {"1d2h3m4s", 93784},
        {"", {}},
        {"h", {}},
        {"1x", {}},
        {"1h30", {}},
        {"30m1h", {}},
        {"1h1h", {}},
        {"-1s", {}},
        {"1.5h", {}},
        {"1 h", {}},
        {"99999999999999999999", {}},
        {"99999999d", {}},
    }));
    INFO(c.text);
    const auto parsed = parse_duration(c.text);
    CHECK(parsed.has_value() == c.seconds.has_value());
    if (parsed && c.seconds) {
        CHECK(parsed->count() == *c.seconds);
        CHECK(parse_duration(format_duration(*parsed)) == parsed);
    }
}

TEST_CASE("numbers for people", "[base][text]") {
    CHECK(format_size(0) == "0 B");
    CHECK(format_size(1023) == "1023 B");
    CHECK(format_size(1024) == "1 KiB");
    CHECK(format_size(1536) == "1.5 KiB");
    CHECK(format_size((1 << 20) - 1) == "1 MiB");
    CHECK(format_size(std::uint64_t{3} << 29) == "1.5 GiB");
    CHECK(format_size(UINT64_MAX) == "16 EiB");
    CHECK(format_duration(std::chrono::seconds(0)) == "0s");
    CHECK(format_duration(std::chrono::seconds(45)) == "45s");
    CHECK(format_duration(std::chrono::seconds(5400)) == "1h30m");
    CHECK(format_duration(std::chrono::seconds(90061)) == "1d1h1m1s");
    CHECK(format_age(100, 100) == "0 seconds ago");
    CHECK(format_age(100, 101) == "1 second ago");
    CHECK(format_age(0, 180) == "3 minutes ago");
    CHECK(format_age(0, 7200) == "2 hours ago");
    CHECK(format_age(0, 3 * 86400) == "3 days ago");
    CHECK(format_age(0, 21 * 86400) == "3 weeks ago");
    CHECK(format_age(0, 800 * 86400) == "2 years ago");
    CHECK(format_age(200, 100) == "in the future");
}

TEST_CASE("digest and randomness", "[base][text]") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(random_hex(8).size() == 16);
    CHECK(random_hex(8) != random_hex(8));
    CHECK(random_hex(4).find_first_not_of("0123456789abcdef") == std::string::npos);
}
