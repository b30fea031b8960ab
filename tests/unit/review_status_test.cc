// What `status` says about a repo of a session, from what the session told and what the host repo holds.
#include "review/status.h"

#include <catch2/catch.hpp>

using namespace scad;

namespace {

workspace::RepoState state_at(std::string head, std::int64_t ahead) {
    workspace::RepoState state;
    state.repo = "code";
    state.branch = "alpha";
    state.head = std::move(head);
    state.ahead = ahead;
    return state;
}

review::HostFacts host_at(std::string branch) {
    review::HostFacts host;
    host.reachable = true;
    host.branch = std::move(branch);
    return host;
}

} // namespace

TEST_CASE("not_fetched counts commits and uncommitted work that the host lacks", "[review]") {
    SECTION("nothing happened") {
        CHECK(review::not_fetched(state_at("base", 0), "base", host_at("base")) == 0);
    }
    SECTION("all was fetched") { CHECK(review::not_fetched(state_at("c3", 3), "base", host_at("c3")) == 0); }
    SECTION("the host does not know the commits") {
        CHECK(review::not_fetched(state_at("c3", 3), "base", host_at("base")) == 3);
    }
    SECTION("some were fetched") {
        auto host = host_at("c2");
        host.fetched = 2;
        CHECK(review::not_fetched(state_at("c3", 3), "base", host) == 1);
    }
    SECTION("an amended commit is at least one, whatever the counts say") {
        auto host = host_at("old");
        host.fetched = 1;
        CHECK(review::not_fetched(state_at("new", 1), "base", host) == 1);
    }
    SECTION("both are in the host repo: counted, not estimated") {
        auto host = host_at("c1");
        host.has_head = true;
        host.behind = 2;
        CHECK(review::not_fetched(state_at("c3", 3), "base", host) == 2);
    }
    SECTION("uncommitted work is one") {
        auto state = state_at("c1", 1);
        state.wip = "w2";
        auto host = host_at("c1");
        host.wip = "w1";
        CHECK(review::not_fetched(state, "base", host) == 1);
        host.wip = "w2";
        CHECK(review::not_fetched(state, "base", host) == 0);
    }
    SECTION("a detached HEAD comes with the snapshot") {
        auto state = state_at("c9", 1);
        state.branch.clear();
        state.wip = "w";
        auto host = host_at("base");
        CHECK(review::not_fetched(state, "base", host) == 1);
        host.wip = "w";
        host.has_head = true;
        CHECK(review::not_fetched(state, "base", host) == 0);
    }
    SECTION("a host repo that is not there") {
        CHECK(review::not_fetched(state_at("c3", 3), "base", review::HostFacts{}) == std::nullopt);
    }
}

TEST_CASE("not_saved counts what no snapshot holds", "[review]") {
    auto state = state_at("base", 0);
    CHECK(review::not_saved(state) == 0);
    CHECK(review::not_saved_words(state).empty());
    state.ignored = 2;
    state.nested = 1;
    CHECK(review::not_saved(state) == 3);
    CHECK(review::not_saved_words(state) == "2 ignored, 1 nested repo");
    SECTION("without a snapshot, the changes too") {
        state.problem = "index is broken";
        state.changed = 4;
        CHECK(review::not_saved(state) == 7);
        CHECK(review::not_saved_words(state) == "no snapshot, 2 ignored, 1 nested repo");
    }
    SECTION("a failed snapshot counts even when nothing is known to have changed") {
        state.problem = "index is broken";
        CHECK(review::not_saved(state) == 4);
    }
}

TEST_CASE("status_rows has a row for each repo, also for one that was never looked at", "[review]") {
    session::Entry entry;
    entry.session.name = "alpha";
    entry.state = session::State::live;
    for (const auto* name : {"code", "docs"}) {
        session::SessionRepo repo;
        repo.name = name;
        repo.base_commit = "base";
        repo.branch = "alpha";
        entry.session.repos.push_back(repo);
    }
    auto state = state_at("c1", 1);
    state.changed = 2;
    state.untracked = 3;
    entry.status.repos.push_back(state);
    const auto rows = review::status_rows(entry, {host_at("base"), host_at("base")});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].repo == "code");
    CHECK(rows[0].ahead == 1);
    CHECK(rows[0].changed == 2);
    CHECK(rows[0].untracked == 3);
    CHECK(rows[0].not_fetched == 1);
    CHECK(rows[1].repo == "docs");
    CHECK(rows[1].branch == "alpha");
    CHECK(rows[1].ahead == 0);
    CHECK(rows[1].not_fetched == 0);
}
