#include "session/ref_filter.h"

#include <catch2/catch.hpp>

using namespace scad::session;

TEST_CASE("honest names come through", "[session]") {
    const auto name =
        GENERATE(as<std::string>{}, "refs/heads/main", "refs/heads/alpha", "refs/heads/feature/x-1",
                 "refs/heads/v1.2.3", "refs/heads/fix_#12", "refs/heads/dependabot/npm/@types/node",
                 "refs/heads/caf\xc3\xa9", "refs/heads/\xe4\xbd\xa0\xe5\xa5\xbd", "refs/scad/wip",
                 "refs/scad/wips/1", "refs/scad/wips/123");
    CHECK(ref_allowed(name));
}

// Each of these would trip git, a shell, a file system, a terminal or scad's own refs on the host.
TEST_CASE("hostile names do not", "[session]") {
    const auto name = GENERATE(
        as<std::string>{}, "", "HEAD", "refs/heads/", "refs/heads/HEAD", "refs/heads/-x", "refs/heads/a/-x",
        "refs/heads/.a", "refs/heads/a/.b", "refs/heads/a..b", "refs/heads/a//b", "refs/heads/a.lock",
        "refs/heads/a.lock/b", "refs/heads/a.", "refs/heads/a/", "refs/heads/a b", "refs/heads/a\x1b[31m",
        "refs/heads/a\x7f", "refs/heads/a\xc2\x9b", "refs/heads/a\xe2\x80\xae", "refs/heads/a\xff",
        "refs/heads/a$(id)", "refs/heads/a`id`", "refs/heads/a;b", "refs/heads/a|b", "refs/heads/a&b",
        "refs/heads/a'b", "refs/heads/a\"b", "refs/heads/a\\b", "refs/heads/a:b", "refs/heads/a~1",
        "refs/heads/a^", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", "refs/heads/a{b}", "refs/heads/@",
        "refs/heads/a/@", "refs/tags/v1", "refs/remotes/origin/main", "refs/scad/base", "refs/scad/wips/",
        "refs/scad/wips/x", "refs/scad/wips/1/2", "refs/scad/wips/-1", "refs/session/main",
        "refs/replace/0123", "refs/notes/commits", "refs/stash", "refs/../x");
    CAPTURE(name);
    CHECK_FALSE(ref_allowed(name));
    CHECK_FALSE(ref_allowed("refs/heads/" + std::string(200, 'a')));
}

TEST_CASE("a listing is read line by line and bounded", "[session]") {
    const std::string a(40, 'a');
    const auto refs =
        filter_refs(a + "\trefs/heads/main\n" + a + "\trefs/heads/x y\nnonsense\nzz\trefs/heads/b\n" +
                        a.substr(1) + "\trefs/heads/c\n" + a + "\trefs/scad/wip\n",
                    40, 10);
    CHECK(refs.ids == std::map<std::string, std::string>{{"refs/heads/main", a}, {"refs/scad/wip", a}});
    REQUIRE(refs.refused.size() == 2);
    CHECK(refs.refused[0].find("x y") != std::string::npos);

    std::string many;
    for (int i = 0; i < 100; ++i) many += a + "\trefs/heads/b" + std::to_string(i) + "\n";
    const auto bounded = filter_refs(many, 40, 10);
    CHECK(bounded.ids.size() == 10);
    CHECK(bounded.refused.size() == 1);

    std::string odd;
    for (int i = 0; i < 100; ++i) odd += a + "\trefs/heads/\x1b" + std::to_string(i) + "\n";
    const auto told = filter_refs(odd, 40, 10);
    CHECK(told.refused.size() < 30);
    for (const auto& line : told.refused) CHECK(line.find('\x1b') == std::string::npos);
}

// The quarantine never forgets: what a session deletes or rewinds stays under another name.
TEST_CASE("what a session lets go is kept", "[session]") {
    const auto forward = [](const std::string&, const std::string& newer) { return newer == "new"; };
    const std::map<std::string, std::string> ours = {{"refs/heads/a", "old"},
                                                     {"refs/heads/b", "old-b"},
                                                     {"refs/heads/gone", "g"},
                                                     {"refs/scad/wip", "w1"}};

    SECTION("no news") { CHECK(plan_refs(ours, ours, 1, forward).empty()); }
    SECTION("a branch that goes on loses nothing") {
        auto theirs = ours;
        theirs["refs/heads/a"] = "new";
        const auto changes = plan_refs(ours, theirs, 1, forward);
        CHECK(changes.updates == std::map<std::string, std::string>{{"refs/heads/a", "new"}});
        CHECK(changes.lost.empty());
    }
    SECTION("rewound and deleted ones are kept with the next number") {
        const auto changes =
            plan_refs(ours, {{"refs/heads/a", "other"}, {"refs/heads/b", "old-b"}, {"refs/scad/wip", "w1"}},
                      7, forward);
        CHECK(changes.lost == std::map<std::string, std::string>{{"refs/session-lost/7/a", "old"},
                                                                 {"refs/session-lost/7/gone", "g"}});
        CHECK(changes.deletions == std::vector<std::string>{"refs/heads/gone"});
    }
    SECTION("what another ref of the session still names is not lost") {
        const auto changes = plan_refs(ours,
                                       {{"refs/heads/a", "old"},
                                        {"refs/heads/b", "old-b"},
                                        {"refs/heads/renamed", "g"},
                                        {"refs/scad/wip", "w2"},
                                        {"refs/scad/wips/1", "w1"}},
                                       1, forward);
        CHECK(changes.lost.empty());
    }
    SECTION("a dropped snapshot is kept") {
        const auto changes = plan_refs(
            ours, {{"refs/heads/a", "old"}, {"refs/heads/b", "old-b"}, {"refs/heads/gone", "g"}}, 2, forward);
        CHECK(changes.lost == std::map<std::string, std::string>{{"refs/session-lost/2/wip", "w1"}});
    }
}
