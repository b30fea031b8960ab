#pragma once

#include "base/context.h"
#include "commands/command.h"
#include "session/job.h"
#include "session/session.h"
#include "session/store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// What the commands on sessions and jobs have in common.
namespace scad::commands {

// The sessions of this machine; removals that a kill cut short are finished first, and said. For commands
// that list, start and remove; what acts on a named session takes a Store as it is.
session::Store open_swept_store(const base::Context& context);

// Those named ("alpha", a prefix, "a,b", 'loader-*'), none named: all. Each once.
std::vector<session::Entry> select_sessions(const session::Store& store,
                                            const std::vector<std::string>& names);
// One session by its name or an unambiguous prefix. Fatal when it is being removed.
session::Entry find_session(const session::Store& store, const std::string& name);
// Calls `act` for each name. With several, an Error is shown and the others are done all the same. The worst
// exit status.
int for_each_name(const base::Context& context, const std::vector<std::string>& names,
                  const std::function<int(const std::string&)>& act);

// Sessions that commands on fetched work can name: those there are and, after them, those in the trash.
std::vector<session::Session> sessions_and_trashed(const session::Store& store,
                                                   const std::vector<std::string>& names);

// Runs `act` for each; an Error is shown and the others are done all the same. The worst exit status.
int for_each_session(const base::Context& context, const std::vector<session::Entry>& entries,
                     const std::function<int(const session::Entry&)>& act);

// The set-up of a command that does one thing to each of the sessions named, at least one.
Action act_on_sessions(
    CLI::App& app,
    std::function<int(const base::Context&, const session::Store&, const session::Entry&)> act);

struct JobCounts {
    std::int64_t running = 0; // queued, running, waiting
    std::int64_t done = 0;
    std::int64_t failed = 0; // ended otherwise
};
JobCounts count_jobs(const std::vector<session::Job>& jobs);
bool is_alive(session::State state);

// "alpha:3", "alpha" (its newest job), resolved. Fatal: no such job.
struct FoundJob {
    session::Entry entry;
    session::Job job;
};
FoundJob find_job(const session::Store& store, const std::string& name);

std::string job_name(const session::Job& job); // "alpha:3"
std::string short_id(std::string_view object_id);
base::Style style_of(session::State state);
base::Style style_of(session::JobState state);
// Columns that a table may take: the terminal's, without one as many as it needs (0).
std::size_t table_width(const base::Terminal& terminal);

} // namespace scad::commands
