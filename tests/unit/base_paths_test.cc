// Would catch: state in the wrong place, `~` taken literally, relative XDG values obeyed.
#include "base/error.h"
#include "base/paths.h"

#include <catch2/catch.hpp>

using namespace scad::base;

TEST_CASE("where scad keeps things", "[base][paths]") {
    struct Case {
        std::vector<std::string> variables;
        std::vector<std::pair<std::string, std::string>> settings;
        std::string state, cache, config;
    };
    const auto c = GENERATE(values<Case>({
        {{"HOME=/home/u"}, {}, "/home/u/.local/state/scad", "/home/u/.cache/scad", "/home/u/.config/scad"},
        {{"HOME=/home/u/"}, {}, "/home/u/.local/state/scad", "/home/u/.cache/scad", "/home/u/.config/scad"},
        {{"HOME=/home/u", "XDG_STATE_HOME=/s/", "XDG_CACHE_HOME=/c", "XDG_CONFIG_HOME=/k"},
         {},
         "/s/scad",
         "/c/scad",
         "/k/scad"},
        {{"HOME=/home/u", "XDG_STATE_HOME=", "XDG_CACHE_HOME=rel"},
         {},
         "/home/u/.local/state/scad",
         "/home/u/.cache/scad",
         "/home/u/.config/scad"},
        {{"HOME=/home/u", "XDG_STATE_HOME=/s"},
         {{"scad.statedir", "~/big//scad/"}, {"scad.cachedir", "/c/../d"}},
         "/home/u/big/scad",
         "/d",
         "/home/u/.config/scad"},
        {{"HOME=/home/u"},
         {{"scad.statedir", ""}},
         "/home/u/.local/state/scad",
         "/home/u/.cache/scad",
         "/home/u/.config/scad"},
    }));
    const Paths paths = find_paths(Variables(c.variables), Settings(c.settings));
    CHECK(paths.home == "/home/u");
    CHECK(paths.state == c.state);
    CHECK(paths.cache == c.cache);
    CHECK(paths.config == c.config);
    CHECK(paths.sessions() == c.state + "/sessions");
}

TEST_CASE("without HOME passwd(5) is asked", "[base][paths]") {
    CHECK(find_paths(Variables(std::vector<std::string>{}), Settings()).home.is_absolute());
    CHECK(find_paths(Variables(std::vector<std::string>{"HOME=relative"}), Settings()).home.is_absolute());
}

TEST_CASE("paths as people write them", "[base][paths]") {
    CHECK(expand_path("~", "/home/u", "/b") == "/home/u");
    CHECK(expand_path("~/x/../y", "/home/u", "/b") == "/home/u/y");
    CHECK(expand_path("~//x", "/home/u", "/b") == "/home/u/x");
    CHECK(expand_path("~/", "/home/u", "/b") == "/home/u");
    CHECK(expand_path("~other/x", "/home/u", "/b") == "/b/~other/x");
    CHECK(expand_path("../atlas", "/home/u", "/w/docs") == "/w/atlas");
    CHECK(expand_path(".", "/home/u", "/w/docs") == "/w/docs");
    CHECK(expand_path("/abs/", "/home/u", "/b") == "/abs");
    CHECK(expand_path("/", "/home/u", "/b") == "/");
    CHECK(expand_path("/..", "/home/u", "/b") == "/");
}

TEST_CASE("settings are read as git reads them", "[base][settings]") {
    using Entries = std::vector<std::pair<std::string, std::string>>;
    const Settings settings(Entries{{"color.ui", "never"},
                                    {"scad.docs", "/a"},
                                    {"scad.docs", "/b"},
                                    {"remote.Ab.url", "u"},
                                    {"scad.keepdays", "14"},
                                    {"x.size", " 2K "},
                                    {"x.on", "Yes"},
                                    {"x.off", ""},
                                    {"x.two", "2"},
                                    {"x.odd", "maybe"},
                                    {"x.huge", "99999999999g"}});
    CHECK(settings.get("Scad.Docs") == "/b");
    CHECK(settings.all("scad.docs") == std::vector<std::string>{"/a", "/b"});
    CHECK(settings.get("remote.Ab.URL") == "u");
    CHECK_FALSE(settings.get("remote.ab.url"));
    CHECK(settings.get_int("scad.keepDays", 3) == 14);
    CHECK(settings.get_int("scad.none", 3) == 3);
    CHECK(settings.get_int("x.size", 0) == 2048);
    CHECK_THROWS_AS(settings.get_int("x.odd", 0), Error);
    CHECK_THROWS_AS(settings.get_int("x.huge", 0), Error);
    CHECK(settings.get_bool("x.on", false));
    CHECK_FALSE(settings.get_bool("x.off", true));
    CHECK(settings.get_bool("x.two", false));
    CHECK(settings.get_bool("x.none", true));
    CHECK_THROWS_WITH(settings.get_bool("x.odd", true), Catch::Contains("x.odd"));
}

TEST_CASE("environments", "[base][variables]") {
    const Variables variables({"PATH=/bin", "GIT_DIR=.git", "GIT_PREFIX=sub/", "GIT_INDEX_FILE=i",
                               "GIT_PUSH_OPTION_0=x", "GIT_CONFIG_PARAMETERS='a.b=c'", "GIT_CONFIG_COUNT=0",
                               "GIT_AUTHOR_NAME=me", "GIT_EDITOR=vi", "TZ=UTC", "HOMER=1", "EMPTY="});
    CHECK(variables.get("GIT_DIR") == ".git");
    CHECK(variables.get("EMPTY") == "");
    CHECK_FALSE(variables.get("HOME"));
    CHECK(variables.for_host_git() ==
          std::vector<std::string>{"PATH=/bin", "GIT_CONFIG_PARAMETERS='a.b=c'", "GIT_CONFIG_COUNT=0",
                                   "GIT_AUTHOR_NAME=me", "GIT_EDITOR=vi", "TZ=UTC", "HOMER=1", "EMPTY="});
    CHECK(variables.minimal() == std::vector<std::string>{"PATH=/bin", "LANG=C.UTF-8", "TZ=UTC"});
    CHECK(known_variables().size() > 10);
}
