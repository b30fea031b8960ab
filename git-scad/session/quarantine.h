#pragma once

#include "base/context.h"
#include "session/session.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scad::session {

// Bounds of one fetch from a session.
struct FetchLimits {
    std::uint64_t bytes = std::uint64_t{4} << 30; // scad.fetchLimit
    std::uint64_t blob = std::uint64_t{1} << 30;  // the largest object
    std::size_t refs = 2000;
    std::chrono::seconds time{600};
};

struct QuarantineReport {
    std::filesystem::path directory;  // quarantine.git, as it can be served now
    std::vector<std::string> refused; // one line each, safe to print: refs that did not come and why
    bool changed = false;
};

// Brings everything new of a session's repo into its quarantine (a bare repo of scad's own with fsck, name
// filter and bounds; made when missing) under the quarantine's lock. Branches that the session deleted or
// rewound are kept as refs/session-lost/<n>/<branch>. Each branch stands as refs/heads/<b> and
// refs/session/<b>; snapshots as refs/scad/wip and refs/scad/wips/<n>; no tags; HEAD names the work branch.
// A bad ref is left out and reported, the others come. Fatal: limits, time, damaged session.
QuarantineReport update_quarantine(const Session& session, const std::string& repo, const FetchLimits& limits,
                                   const std::function<void()>& on_wait = {});

// The bounds with the user's own setting scad.fetchLimit (bytes; k, m, g).
FetchLimits fetch_limits(const base::Settings& settings);

} // namespace scad::session
