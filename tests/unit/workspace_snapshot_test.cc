#include "workspace/snapshot.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace scad::workspace;

namespace {

const std::string id_a(40, 'a');
const std::string id_b(64, 'b');

RepoState only(std::string_view output) { return parse_snapshot(output, {"code"}).front(); }

} // namespace

TEST_CASE("what a snapshot tells is read", "[workspace]") {
    const auto states =
        parse_snapshot("code\tbranch\talpha\ncode\thead\t" + id_a + "\ncode\twip\t" + id_b +
                           "\ncode\tahead\t3\ncode\tchanged\t2\ncode\tuntracked\t1\ncode\tignored\t40\n"
                           "code\tnested\t1\ncode\tunreadable\t2\ncode\ttags\t1\ncode\tworktrees\t1\n"
                           "code\tunsaved\tnested \"a\\tb\"\ncode\tunsaved\tignored node_modules/\n"
                           "code\tend\t1\ndocs\tproblem\tgit status failed: no\n",
                       {"code", "docs", "data"});
    REQUIRE(states.size() == 3);
    RepoState code;
    code.repo = "code";
    code.branch = "alpha";
    code.head = id_a;
    code.wip = id_b;
    code.ahead = 3;
    code.changed = 2;
    code.untracked = 1;
    code.ignored = 40;
    code.nested = 1;
    code.unreadable = 2;
    code.tags = 1;
    code.worktrees = 1;
    code.unsaved = {"a\tb (a repo of its own)", "node_modules/ (ignored)"};
    CHECK(states[0] == code);
    CHECK(states[1].repo == "docs");
    CHECK(states[1].problem == "git status failed: no");
    CHECK(states[2].problem == "the snapshot did not come to its end");
}

TEST_CASE("garbage in a snapshot is passed over", "[workspace]") {
    const std::string output =
        GENERATE(as<std::string>{}, "", "\n\n\n", "\t\t\t\n", "code\n", "code\tbranch", "nobody\thead\tx\n",
                 "code\thead\tnothing\n", "code\twip\t../../x\n", "code\tahead\t-1\n", "code\tahead\t3.9\n",
                 "code\tahead\t\n", "code\tunsaved\t\n", "code\tunsaved\tx\n", "code\tunsaved\tignored \n",
                 std::string("\0\xff\x1b[31m\tcode\t\0", 12));
    RepoState wanted;
    wanted.repo = "code";
    wanted.problem = "the snapshot did not come to its end";
    CHECK(only(output) == wanted);
}

TEST_CASE("a hostile snapshot stays within bounds", "[workspace]") {
    CHECK(only("code\tchanged\t99999999999999999999999999\ncode\tend\t1\n").changed == 1'000'000'000);
    CHECK(only("code\tbranch\t" + std::string(1 << 20, 'x') + "\n").branch.size() <= 8192);
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "code\tunsaved\tignored " + std::string(10000, 'y') + "\n";
    const RepoState state = only(many);
    CHECK(state.unsaved.size() == 20);
    CHECK(std::all_of(state.unsaved.begin(), state.unsaved.end(),
                      [](const std::string& name) { return name.size() < 5000; }));
    CHECK(only("code\thead\t" + std::string(40, 'A') + "\n").head.empty());
    CHECK(only("code\tproblem\t\ncode\tend\t1\n").problem == "no reason was given");
}

// A name with a quote or a space must reach the script as one argument, and never be shell code.
TEST_CASE("repos are arguments of the script, not part of it", "[workspace]") {
    const auto request = snapshot_request({"code", "docs"}, {id_a, id_b});
    REQUIRE(request.argv.size() == 8);
    CHECK(request.argv[2].find(id_a) == std::string::npos);
    CHECK(std::vector<std::string>(request.argv.begin() + 3, request.argv.end()) ==
          std::vector<std::string>{"snapshot", "code", id_a, "docs", id_b});
}
