#include "session/host_remotes.h"

#include <catch2/catch.hpp>

using namespace scad::session;
using Sections = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("the remotes file", "[session]") {
    const std::string text = remotes_file({{"alpha", "code"}, {"beta", "docs"}});
    CHECK(text ==
          "# The remotes of scad's sessions. Written by `git scad`, which replaces this file; include.path "
          "in the\n"
          "# config of this repository names it.\n"
          "[remote \"scad/alpha\"]\n"
          "\turl = scad::alpha/code\n"
          "\tfetch = +refs/session/*:refs/remotes/scad/alpha/*\n"
          "\tfetch = +refs/scad/wip*:refs/scad-session/alpha/wip*\n"
          "\ttagOpt = --no-tags\n"
          "\tskipFetchAll = true\n"
          "\tprune = true\n"
          "\tfollowRemoteHEAD = never\n"
          "[remote \"scad/beta\"]\n"
          "\turl = scad::beta/docs\n"
          "\tfetch = +refs/session/*:refs/remotes/scad/beta/*\n"
          "\tfetch = +refs/scad/wip*:refs/scad-session/beta/wip*\n"
          "\ttagOpt = --no-tags\n"
          "\tskipFetchAll = true\n"
          "\tprune = true\n"
          "\tfollowRemoteHEAD = never\n");
    CHECK(parse_remotes_file(text) == Sections{{"alpha", "code"}, {"beta", "docs"}});
    CHECK(parse_remotes_file("").empty());
    CHECK(parse_remotes_file("\turl = scad::alpha\n\turl = https://x/y\n").empty());
}

TEST_CASE("the include line is found in a config", "[session]") {
    for (const char* config : {"[include]\n\tpath = scad/remotes\n",
                               "[core]\n\tbare = false\n[include]\n\tpath = x\n\tpath = scad/remotes",
                               "[Include] PATH=scad/remotes\n", "  [ include ]\npath = scad/remotes\n"}) {
        CHECK(includes_remotes(config));
    }
    for (const char* config :
         {"", "path = scad/remotes\n", "[core]\n\tpath = scad/remotes\n",
          "[include]\n# path = scad/remotes\n", "[include]\n[core]\n\tpath = scad/remotes\n",
          "[include \"x\"]\n\tpath = scad/remotes\n", "[include]\n\tpath = scad/remotes2\n", "[include"}) {
        CHECK_FALSE(includes_remotes(config));
    }
}

TEST_CASE("tips that a pin holds are commits, without other pins", "[session]") {
    CHECK(parse_tips("commit aa   refs/heads/main\n"
                     "tag bb commit cc refs/tags/v1\n"
                     "tag dd blob ee refs/tags/key\n"
                     "blob ff   refs/tags/junio\n"
                     "commit 11   refs/scad-session/a/pin\n"
                     "commit 22   refs/scad-session/a/base\n"
                     "garbage\n") == std::vector<std::string>{"aa", "cc", "22"});
}
