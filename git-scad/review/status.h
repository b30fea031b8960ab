#pragma once

#include "base/variables.h"
#include "session/session.h"
#include "session/store.h"
#include "workspace/snapshot.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scad::review {

// What a host repo holds of one repo of a session.
struct HostFacts {
    bool reachable = false; // the host repo could be opened
    std::string branch;     // commit id of refs/remotes/scad/<session>/<branch>; empty: no such ref
    std::string wip;        // of refs/scad-session/<session>/wip; empty: none
    bool has_head = false;  // the session's HEAD is there as an object
    std::optional<std::int64_t>
        behind;               // commits of the session's HEAD that `branch` lacks, when both are there
    std::int64_t fetched = 0; // commits of `branch` that the base lacks
    bool operator==(const HostFacts&) const = default;
};

// One line of `status`: a session's repo.
struct StatusRow {
    std::string session, repo, branch; // branch empty: detached HEAD
    session::State state = session::State::lost;
    std::int64_t ahead = 0, changed = 0, untracked = 0;
    std::optional<std::int64_t>
        not_fetched;             // commits, and one for uncommitted work; none: the host repo is not there
    std::int64_t not_saved = 0;  // things that no snapshot holds
    std::string not_saved_words; // "2 ignored, 1 nested repo"
    std::string problem;         // why the last snapshot failed; foreign text
    bool operator==(const StatusRow&) const = default;
};

// Where a repo of the session stands by its status.json; a repo that is not in there stands at its base.
workspace::RepoState state_of(const session::Session& session, const session::Status& status,
                              const std::string& repo);

// How much of a repo's state the host does not have yet. Pure.
std::optional<std::int64_t> not_fetched(const workspace::RepoState& state, const std::string& base_commit,
                                        const HostFacts& host);
// How many things no snapshot of the repo can hold, and which. Pure.
std::int64_t not_saved(const workspace::RepoState& state);
std::string not_saved_words(const workspace::RepoState& state);

// Reads the host repo's refs. Never fatal: a host repo that cannot be opened is not `reachable`.
HostFacts ask_host(const session::Session& session, const session::SessionRepo& repo,
                   const workspace::RepoState& state, const base::Variables& variables);

// The rows of one session, in the order of its repos. `facts` has one entry a repo. Pure.
std::vector<StatusRow> status_rows(const session::Entry& entry, const std::vector<HostFacts>& facts);

} // namespace scad::review
