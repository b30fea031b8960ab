#include "review/gc.h"

#include <catch2/catch.hpp>

using scad::review::programs_in;
using scad::review::TreeFacts;
using scad::review::unnamed_trees;

TEST_CASE("base trees that nothing names go, but for the newest of each repo", "[review]") {
    const std::vector<TreeFacts> trees = {
        {"r1", "a", 10}, {"r1", "b", 30}, {"r1", "c", 20}, {"r2", "a", 5}, {"r2", "d", 1}};
    CHECK(unnamed_trees(trees, {}) ==
          std::vector<TreeFacts>{{"r1", "a", 10}, {"r1", "c", 20}, {"r2", "d", 1}});
    CHECK(unnamed_trees(trees, {"r1/a", "r2/d"}) == std::vector<TreeFacts>{{"r1", "c", 20}});
    CHECK(unnamed_trees(trees, {"r1/c", "r2/a"}) == std::vector<TreeFacts>{{"r1", "a", 10}, {"r2", "d", 1}});
    CHECK(unnamed_trees({}, {"r1/a"}).empty());
    // Made within one second: neither is known to be the older one.
    CHECK(unnamed_trees({{"r", "a", 7}, {"r", "b", 7}}, {}).empty());
}

TEST_CASE("a job names the programs that it starts", "[review]") {
    CHECK(programs_in({"/opt/scad/agents/12ab/bin/claude", "-p", "/opt/scad/agents/34cd",
                       "/opt/scad/agentsX/9", "see /opt/scad/agents/56ef/x"}) ==
          std::set<std::string>{"12ab", "34cd"});
}
