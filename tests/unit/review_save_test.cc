// When the uncommitted work of a session must be looked at before it may go.
#include "review/save.h"

#include <catch2/catch.hpp>

using namespace scad;

TEST_CASE("only a session that was stopped with a good snapshot of each repo needs no other", "[review]") {
    session::Entry entry;
    entry.state = session::State::stopped;
    session::SessionRepo repo;
    repo.name = "code";
    entry.session.repos.push_back(repo);
    workspace::RepoState state;
    state.repo = "code";
    entry.status.repos.push_back(state);
    entry.status.taken = 1;
    CHECK_FALSE(review::needs_snapshot(entry));
    SECTION("lost") { entry.state = session::State::lost; }
    SECTION("live") { entry.state = session::State::live; }
    SECTION("never taken") { entry.status.taken = 0; }
    SECTION("failed") { entry.status.repos[0].problem = "timed out"; }
    SECTION("a repo is missing") { entry.session.repos.push_back({}); }
    SECTION("of another repo") { entry.status.repos[0].repo = "docs"; }
    if (entry.state != session::State::stopped || entry.status.taken == 0 || entry.session.repos.size() > 1 ||
        !entry.status.repos[0].problem.empty() || entry.status.repos[0].repo != "code")
        CHECK(review::needs_snapshot(entry));
}
