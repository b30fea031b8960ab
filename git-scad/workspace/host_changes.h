#pragma once

#include "base/variables.h"
#include "workspace/clone.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::workspace {

// What the working tree of a host repo has and no commit of it: paths from its top.
struct HostChanges {
    std::string head;                    // the commit that they are on top of
    std::vector<std::string> tracked;    // changed, staged, added or deleted
    std::vector<std::string> untracked;  // not ignored
    std::vector<std::string> conflicted; // both sides of a merge are in the index
    std::vector<std::string> nested;     // repos inside the working tree, whose files git does not see
    std::vector<std::string> submodules; // with changes of their own
    bool empty() const { return tracked.empty() && untracked.empty() && conflicted.empty(); }
    bool operator==(const HostChanges&) const = default;
};

// What `git status --porcelain=v2 -z --branch` printed. Pure.
HostChanges parse_host_changes(std::string_view status);

// Asks git, which takes no lock and runs no hook. Without a working tree there are none. Empty when it takes
// longer than `limit` (0: none).
std::optional<HostChanges> find_host_changes(const Origin& origin, const base::Variables& variables,
                                             std::chrono::milliseconds limit);

// Makes a commit of these changes on top of the base and returns its id; empty when there is nothing to
// commit. Index, working tree, objects and refs of the host repo stay as they are: git works on a copy of the
// index in `scratch` (a directory of scad's own), and new objects go to `objects` (made when missing). Clean
// filters that the user has set up run, as in any `git add`. Fatal: conflicts, changes on top of another
// commit than the base, a file that cannot be read.
std::string commit_host_changes(const Origin& origin, const HostChanges& changes,
                                const std::filesystem::path& objects, const std::filesystem::path& scratch,
                                const base::Variables& variables);

// "3 changed and 2 untracked files (a, b, c …)", for messages; names as they are. Pure.
std::string describe_changes(const HostChanges& changes);

} // namespace scad::workspace
