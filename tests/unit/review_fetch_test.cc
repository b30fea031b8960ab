#include "review/fetch.h"

#include <catch2/catch.hpp>

// rm drops a session only when these stand in the host repo: a kind of ref that is left out here would be
// lost.
TEST_CASE("every ref of a quarantine has its place on the host", "[review]") {
    const auto expected = scad::review::expected_refs("alpha", {{"refs/session/main", "1"},
                                                                {"refs/session/x/y", "2"},
                                                                {"refs/scad/wip", "3"},
                                                                {"refs/scad/wips/1", "4"},
                                                                {"refs/session-lost/2/main", "5"}});
    CHECK(expected == std::map<std::string, std::string>{
                          {"refs/remotes/scad/alpha/main", "1"},
                          {"refs/remotes/scad/alpha/x/y", "2"},
                          {"refs/scad-session/alpha/wip", "3"},
                          {"refs/scad-session/alpha/wips/1", "4"},
                          {"refs/scad-session/alpha/lost/2/main", "5"},
                      });
}
