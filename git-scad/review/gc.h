#pragma once

#include "base/context.h"
#include "session/store.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace scad::review {

struct GcOptions {
    bool dry_run = false;
    bool wait = true; // false: when another command is about to name something, that is left for later
};

struct Collected {
    std::string what; // one line for a person
    std::uint64_t bytes = 0;
};

struct GcReport {
    std::vector<Collected> collected;
    std::vector<std::string> kept; // what could go by its age and does not: why, with what to do
    std::uint64_t bytes() const;
};

// Collects what nothing names: sessions in the trash past scad.keepDays (or, oldest first, while space is
// short), once all that was saved of them is proved to be in the host repos, which are synced; base trees,
// environments and agents' programs that no session, no job and no newest version stands on; temporary names
// of killed commands; pins in host repos without a session. Never anything that is named. A kill at any point
// leaves what the next call collects.
GcReport collect_garbage(const base::Context& context, const session::Store& store, const GcOptions& options);

// Starts `git scad session gc --auto` in the background when the last one was more than a day ago, unless
// scad.autoGc is false. Cheap: looks at one file.
void collect_now_and_then(const base::Context& context);

// The decision over base trees. Of each repo the newest is kept, so that the next start finds one. Pure.
struct TreeFacts {
    std::string repo, name; // <repo-id>, <commit+settings>
    std::int64_t made = 0;  // nanoseconds since the epoch
    bool operator==(const TreeFacts&) const = default;
};
std::vector<TreeFacts> unnamed_trees(std::vector<TreeFacts> trees, const std::set<std::string>& named);

// The ids of agents' programs that stand in these words of a job ("/opt/scad/agents/<id>/bin"). Pure.
std::set<std::string> programs_in(const std::vector<std::string>& words);

} // namespace scad::review
