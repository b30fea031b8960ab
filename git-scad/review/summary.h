#pragma once

#include "base/context.h"
#include "session/job.h"
#include "session/session.h"
#include "session/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scad::review {

// What came back from a session, for `harvest` and `finish`.
struct RepoSummary {
    std::string repo;
    std::string host; // path of the host repo
    std::string branch;
    std::int64_t commits = 0; // that the base does not have
    std::string changes;      // git's own "3 files changed, 10 insertions(+)"; empty: nothing
    std::string uncommitted;  // the same for uncommitted work; empty: none
    std::string not_saved;    // what no snapshot holds; empty: nothing
    std::string problem;      // why nothing can be said
    bool operator==(const RepoSummary&) const = default;
};

struct Summary {
    std::string session;
    std::vector<RepoSummary> repos;
    std::vector<std::string> jobs; // one line each: "2 failed: API error: 529"
    std::int64_t failed_jobs = 0;
    bool operator==(const Summary&) const = default;
};

// Asks the host repos (git, with limits); the session's own files for jobs and what is not saved.
Summary summarize(const base::Context& context, const session::Entry& entry,
                  const std::vector<session::Job>& jobs);

// One line about a job that has ended or runs: "3 done in 12 s", "4 failed: denied tool: Bash". Pure, safe to
// print.
std::string job_line(const session::Job& job);

// For a person: safe to print, ends in a newline. Pure.
std::string render(const Summary& summary);

} // namespace scad::review
