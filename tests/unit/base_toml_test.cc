// Would catch: a caret that does not stand below the fault.
#include "base/toml.h"

#include <catch2/catch.hpp>

using namespace scad::base;

TEST_CASE("messages point at their place", "[base][toml]") {
    const std::string source = "[repos.code]\n\tpth = \"x\"\nnäme日 = 1\r\nb\033ad = 2";
    CHECK(message_at({"a.toml", 1, 8}, source, "bad name") == "a.toml:1:8: bad name\n[repos.code]\n       ^");
    CHECK(message_at({"a.toml", 2, 2}, source, "unknown key 'pth'") ==
          "a.toml:2:2: unknown key 'pth'\n\tpth = \"x\"\n\t^");
    CHECK(message_at({"a.toml", 3, 7}, source, "x") == "a.toml:3:7: x\nnäme日 = 1\n       ^");
    CHECK(message_at({"a.toml", 4, 6}, source, "x") == "a.toml:4:6: x\nb^[ad = 2\n      ^");
    CHECK(message_at({"a.toml", 4, 99}, source, "x") ==
          "a.toml:4:99: x\nb^[ad = 2\n         ^"); // past the end
    CHECK(message_at({"a.toml", 9, 1}, source, "x") == "a.toml:9:1: x");
    CHECK(message_at({"a.toml", 0, 0}, source, "cannot read") == "a.toml: cannot read");
    CHECK(message_at({"a.toml", 1, 1}, std::string(5000, 'a'), "long") == "a.toml:1:1: long");
}
