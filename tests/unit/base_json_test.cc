// Would catch: numbers that are bent to fit, a newer document read as an old one, an agent's garbage that
// throws or overflows the stack.
#include "base/error.h"
#include "base/json.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace scad::base;
using nlohmann::json;

TEST_CASE("typed reading", "[base][json]") {
    const json object = json::parse(
        R"({"s":"x","i":3,"n":-3,"f":3.9,"b":true,"l":["a","b"],"m":["a",1],"big":18446744073709551615,"null":null})");
    CHECK(get_string(object, "s") == "x");
    CHECK(get_int(object, "i") == 3);
    CHECK(get_int(object, "n") == -3);
    CHECK(get_bool(object, "b"));
    CHECK(get_strings(object, "l") == std::vector<std::string>{"a", "b"});
    for (const auto* key : {"s", "f", "b", "l", "big", "null", "none"}) {
        INFO(key);
        CHECK_THROWS_AS(get_int(object, key), Error);
        CHECK(find_int(object, key, 7) == 7);
    }
    for (const auto* key : {"i", "b", "l", "null", "none"}) {
        INFO(key);
        CHECK_THROWS_AS(get_string(object, key), Error);
        CHECK(find_string(object, key, "other") == "other");
    }
    for (const auto* key : {"i", "s", "null", "none"}) {
        INFO(key);
        CHECK_THROWS_AS(get_bool(object, key), Error);
        CHECK(find_bool(object, key, true));
    }
    CHECK_THROWS_AS(get_strings(object, "m"), Error);
    CHECK_THROWS_AS(get_strings(object, "s"), Error);
    CHECK_THROWS_WITH(get_string(object, "none"), Catch::Contains("'none' is missing"));
    CHECK(find_int(object, "i") == 3);
    CHECK(find_string(json(3), "s", "o") == "o");
    CHECK(find_string(json::array({1}), "s", "o") == "o");
    CHECK_THROWS_AS(get_int(json(3), "x"), Error);
}

TEST_CASE("foreign text", "[base][json]") {
    CHECK_FALSE(parse_json(""));
    CHECK_FALSE(parse_json("{"));
    CHECK_FALSE(parse_json("{} x"));
    CHECK_FALSE(parse_json("\"\xff\""));
    CHECK_FALSE(parse_json(std::string(100000, '[') + std::string(100000, ']')));
    CHECK(parse_json(std::string(200, '[') + std::string(200, ']')));
    CHECK(parse_json("\"" + std::string(1000, '[') + "\\\"[\""));
    CHECK(to_line(json{{"a", "x\xff"}}) == "{\"a\":\"x\xef\xbf\xbd\"}");
    CHECK(to_text(json{{"a", 1}}) == "{\n  \"a\": 1\n}\n");
    CHECK(to_text(json("\u009b31m \u202e \x7f")) ==
          "\"\\u009b31m \\u202e \\u007f\"\n"); // what a terminal obeys
}

TEST_CASE("documents on disk", "[base][json]") {
    const Scratch scratch;
    const auto path = scratch / "d.json";
    CHECK_FALSE(read_document_if_exists(path, 1));
    CHECK_THROWS_AS(read_document(path, 1), Error);
    write_document(path, json{{"version", 1}, {"a", "b"}});
    CHECK(get_string(read_document(path, 1), "a") == "b");
    CHECK(read_document_if_exists(path, 2));
    const auto refused =
        GENERATE(as<std::string>{}, "", "[]", "{", "{}", R"({"version":"1"})", R"({"version":1.5})",
                 R"({"version":2})", R"({"version":18446744073709551615})");
    INFO(refused);
    scratch.file("d.json", refused);
    CHECK_THROWS_WITH(read_document(path, 1), Catch::Contains(path.native()));
}
