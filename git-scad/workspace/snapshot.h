#pragma once

#include "engine/runner.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scad::workspace {

// Where one repo of a session stands and what of it is saved, as told from inside (foreign: never more than a
// claim).
struct RepoState {
    std::string repo;
    std::string branch;         // empty: detached HEAD
    std::string head;           // object id; empty: no commit
    std::string wip;            // refs/scad/wip after the snapshot; empty: nothing uncommitted
    std::int64_t ahead = 0;     // commits of HEAD that the base does not have
    std::int64_t changed = 0;   // tracked files that differ from HEAD (index or working tree)
    std::int64_t untracked = 0; // not ignored
    // What no snapshot can hold, counted:
    std::int64_t ignored = 0;         // ignored files (directories count one)
    std::int64_t nested = 0;          // repos inside the working tree
    std::int64_t unreadable = 0;      // files that git could not add
    std::int64_t tags = 0;            // tags that are not the host's
    std::int64_t worktrees = 0;       // linked ones
    std::vector<std::string> unsaved; // up to 20 of these by name
    std::string problem; // why no snapshot could be taken; empty: it was (or there was nothing to save)
    bool operator==(const RepoState&) const = default;
};

// The program that takes a snapshot of these repos (a POSIX shell script with the host's git), for running
// inside the sandbox with stdout captured. It touches neither index nor working tree of the agent, runs no
// hook, and bounds each git command in time. `bases`: the base commit of each repo, same order.
// `before`: a script of sh that runs first.
engine::RunRequest snapshot_request(const std::vector<std::string>& repos,
                                    const std::vector<std::string>& bases, std::string_view before = {});

// What it printed. Lines that make no sense are passed over; a repo without any gets `problem`. Pure.
std::vector<RepoState> parse_snapshot(std::string_view output, const std::vector<std::string>& repos);

// Runs it to the end on a runner.
std::vector<RepoState> take_snapshot(engine::Runner& runner, const std::vector<std::string>& repos,
                                     const std::vector<std::string>& bases, std::chrono::milliseconds limit);

} // namespace scad::workspace
