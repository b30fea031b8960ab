// Would catch: a hint that names nothing near, or names anything at all.
#include "base/suggest.h"

#include <catch2/catch.hpp>

using scad::base::nearest;
using Names = std::vector<std::string>;

TEST_CASE("nearest names", "[base][suggest]") {
    const Names commands{"init", "inject", "status", "session", "start", "stop",
                         "show", "list",   "log",    "fetch",   "rm"};
    CHECK(nearest("stauts", commands).front() == "status");
    CHECK(nearest("strat", commands).front() == "start");
    CHECK(nearest("sess", commands).front() == "session");
    CHECK(nearest("INIT", commands).front() == "init");
    CHECK(nearest("fetch", commands).front() == "fetch");
    CHECK(nearest("zzzzzz", commands).empty());
    CHECK(nearest("", commands).empty());
    CHECK(nearest("rx", commands).empty());
    CHECK(nearest("x", {}).empty());
    CHECK(nearest("memroy", {"memory", "memories", "pids"}) == Names{"memory"});
    CHECK(nearest("sto", commands, 1).size() == 1);
    CHECK(nearest("aaaa", {"aaab", "aaac", "aaad", "aaae"}) == Names{"aaab", "aaac", "aaad"});
    CHECK(nearest("dup", {"dupe", "dupe"}) == Names{"dupe"});
    CHECK(nearest(std::string(100000, 'a'), {std::string(100000, 'b')}).empty());
}
