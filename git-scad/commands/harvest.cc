#include "commands/harvest.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/code_fetch.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/wait.h"
#include "review/save.h"
#include "review/summary.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

void wait_for_all(const base::Context& context, const std::vector<session::Entry>& entries) {
    std::vector<std::pair<session::Session, session::Job>> jobs;
    for (const auto& entry : entries) {
        for (auto& job : session::list_jobs(entry.session, is_alive(entry.state))) {
            if (!session::is_final(job.state) || !job.saved) jobs.emplace_back(entry.session, std::move(job));
        }
    }
    const auto running = std::count_if(jobs.begin(), jobs.end(),
                                       [](const auto& job) { return !session::is_final(job.second.state); });
    if (running > 0)
        context.terminal.note(fmt::format("waiting for {} {}", running, running == 1 ? "job" : "jobs"));
    wait_for(context, jobs);
}

// False: something is not saved, and that was said.
bool snapshot(const base::Context& context, const session::Store& store, const session::Entry& entry) {
    bool good = true;
    try {
        for (const auto& state : review::take_snapshot(context, store, entry.session)) {
            if (state.problem.empty()) continue;
            context.terminal.warning(base::one_line(
                fmt::format("{}/{}: no snapshot: {}", entry.session.name, state.repo, state.problem)));
            good = false;
        }
    } catch (const Error& error) {
        context.terminal.error(base::render_error(error));
        good = false;
    }
    return good;
}

} // namespace

int harvest_sessions(const base::Context& context, const session::Store& store,
                     const std::vector<session::Entry>& entries) {
    int worst = 0;
    wait_for_all(context, entries);
    std::vector<session::Session> sessions;
    for (const auto& entry : entries) {
        const auto now = store.find_exact(entry.session.name);
        if (review::needs_snapshot(now) && !snapshot(context, store, now)) worst = 1;
        sessions.push_back(entry.session);
    }
    worst = std::max(worst, fetch_and_tell(context, sessions));
    for (const auto& entry : entries) {
        const auto now = store.find_exact(entry.session.name);
        const auto jobs = session::list_jobs(now.session, is_alive(now.state));
        context.terminal.write(review::render(review::summarize(context, now, jobs)));
        // An earlier failure that was put right by a later job is history.
        if (!jobs.empty() && session::is_final(jobs.back().state) &&
            jobs.back().state != session::JobState::done)
            worst = 1;
    }
    return worst;
}

Action set_up_harvest(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::at_least_one, "names, prefixes, 'loader-*'");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        const auto entries = select_sessions(store, *names);
        const int status = harvest_sessions(context, store, entries);
        std::vector<std::string> all;
        all.reserve(entries.size());
        for (const auto& entry : entries) all.push_back(entry.session.name);
        context.terminal.hint(fmt::format("git scad code diff {}; in a repo: git merge scad/{}",
                                          base::join(all, " "), all.front()));
        return status;
    };
}

} // namespace scad::commands
