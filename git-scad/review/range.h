#pragma once

#include "base/variables.h"
#include "session/session.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::review {

// What of a session's repo has come into the host repo, by object ids, so that no name is ambiguous.
struct Range {
    std::string session, repo;
    std::filesystem::path host;     // for `git -C`
    std::string base;               // where the session started
    std::string branch;             // its work branch's name
    std::string tip;                // the work branch as fetched; the base when nothing was
    std::vector<std::string> tips;  // all branches as fetched, the work branch first
    std::optional<std::string> wip; // the snapshot of uncommitted work, as fetched
    bool operator==(const Range&) const = default;
};

// Asks the host repo. Fatal when it cannot be opened.
Range fetched_range(const session::Session& session, const session::SessionRepo& repo,
                    const base::Variables& variables);

} // namespace scad::review
