// Prompts: their parameters, their sources, and what the editor leaves.
#include "base/error.h"
#include "commands/prompt.h"

#include <catch2/catch.hpp>

using namespace scad;
using commands::fill_in;
using commands::parse_settings;

TEST_CASE("fill_in replaces {names}", "[commands]") {
    CHECK(fill_in("Do {what} in {path}, {what}!", {{"what", "it"}, {"path", "src"}}, "fix") ==
          "Do it in src, it!");
    CHECK(fill_in("no places", {}, "fix") == "no places");
    SECTION("what is no name in braces stays") {
        const std::string text = "f() { return 1; } {} {1} {a b} {unclosed";
        CHECK(fill_in(text, {}, "fix") == text);
    }
    SECTION("doubled braces stand for one") {
        CHECK(fill_in("use {{path}} as it is", {}, "fix") == "use {path} as it is");
    }
    SECTION("a value is not looked into") { CHECK(fill_in("{a}", {{"a", "{b}"}}, "fix") == "{b}"); }
    SECTION("a place without a value is fatal and names all of them") {
        try {
            fill_in("{a} {b-2} {a}", {}, "fix");
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.kind == Error::Kind::fatal);
            CHECK(error.message == "prompt 'fix' has places that are not filled: a, b-2");
            CHECK(error.hint == "-p fix --set a=… --set b-2=…");
        }
    }
    SECTION("a value without a place is a slip") {
        CHECK_THROWS_AS(fill_in("x", {{"a", "1"}}, "fix"), Error);
    }
}

TEST_CASE("parse_settings takes name=value", "[commands]") {
    CHECK(parse_settings({"a=1", "b=", "c=x=y"}) ==
          std::map<std::string, std::string>{{"a", "1"}, {"b", ""}, {"c", "x=y"}});
    const std::string bad = GENERATE("a", "=1", "1a=2", "a b=1");
    INFO(bad);
    CHECK_THROWS_AS(parse_settings({bad}), Error);
    CHECK_THROWS_AS(parse_settings({"a=1", "a=2"}), Error);
}

TEST_CASE("one source of a prompt at most", "[commands]") {
    commands::PromptOptions options;
    CHECK_FALSE(commands::has_prompt(options));
    CHECK_NOTHROW(commands::check_prompt(options));
    options.messages = {"a", "b"};
    CHECK(commands::has_prompt(options));
    CHECK_NOTHROW(commands::check_prompt(options));
    SECTION("two") {
        options.file = "plan.md";
        CHECK_THROWS_WITH(commands::check_prompt(options), "-m and -F exclude each other");
    }
    SECTION("settings without a named prompt") {
        options.settings = {"a=1"};
        CHECK_THROWS_WITH(commands::check_prompt(options), "--set goes with -p");
    }
}

TEST_CASE("what is above the scissors is the prompt, headings too", "[commands]") {
    using commands::strip_editor_text;
    const std::string end = "# ------------------------ >8 ------------------------\n# Write the prompt\n";
    CHECK(strip_editor_text("\n" + end, '#').empty());
    CHECK(strip_editor_text("", '#').empty());
    CHECK(strip_editor_text("\n# Heading\n\ntext  \n\n" + end + "more", '#') == "# Heading\n\ntext\n");
    CHECK(strip_editor_text("text\n; ------------------------ >8 ------------------------\nx", ';') ==
          "text\n");
}
