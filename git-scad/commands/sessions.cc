#include "commands/sessions.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/options.h"
#include "review/remove.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::commands {
namespace {

void refuse_removing(const session::Entry& entry) {
    if (entry.state == session::State::removing)
        throw fatal("session '{}' is being removed", entry.session.name);
}

} // namespace

session::Store open_swept_store(const base::Context& context) {
    session::Store store(context.paths);
    for (const auto& name : review::finish_removals(context, store))
        context.terminal.note(
            fmt::format("finished the removal of session '{}', which had been cut short", name));
    return store;
}

std::vector<session::Entry> select_sessions(const session::Store& store,
                                            const std::vector<std::string>& names) {
    return store.select(names);
}

session::Entry find_session(const session::Store& store, const std::string& name) {
    auto entry = store.find(name);
    refuse_removing(entry);
    return entry;
}

int for_each_name(const base::Context& context, const std::vector<std::string>& names,
                  const std::function<int(const std::string&)>& act) {
    int worst = 0;
    for (const auto& name : names) {
        try {
            worst = std::max(worst, act(name));
        } catch (const Error& error) {
            if (names.size() == 1) throw;
            context.terminal.error(base::render_error(error));
            worst = std::max(worst, base::exit_status(error.kind));
        }
    }
    return worst;
}

std::vector<session::Session> sessions_and_trashed(const session::Store& store,
                                                   const std::vector<std::string>& names) {
    std::vector<session::Session> sessions;
    for (const auto& name : names) {
        if (store.exists(name) || !store.in_trash(name)) {
            for (auto& entry : store.select({name})) sessions.push_back(std::move(entry.session));
            continue;
        }
        const auto trash = store.trash();
        const auto newest =
            std::find_if(trash.rbegin(), trash.rend(), [&](const auto& entry) { return entry.name == name; });
        sessions.push_back(session::read_session(newest->directory));
    }
    if (names.empty()) {
        for (auto& entry : store.list()) sessions.push_back(std::move(entry.session));
    }
    return sessions;
}

int for_each_session(const base::Context& context, const std::vector<session::Entry>& entries,
                     const std::function<int(const session::Entry&)>& act) {
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(entry.session.name);
    std::size_t next = 0;
    return for_each_name(context, names, [&](const std::string&) {
        const auto& entry = entries[next++];
        refuse_removing(entry);
        return act(entry);
    });
}

Action act_on_sessions(
    CLI::App& app,
    std::function<int(const base::Context&, const session::Store&, const session::Entry&)> act) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::at_least_one, "names, prefixes, 'loader-*'");
    return [names, act = std::move(act)](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        return for_each_session(context, select_sessions(store, *names),
                                [&](const auto& entry) { return act(context, store, entry); });
    };
}

JobCounts count_jobs(const std::vector<session::Job>& jobs) {
    JobCounts counts;
    for (const auto& job : jobs) {
        if (!session::is_final(job.state))
            ++counts.running;
        else if (job.state == session::JobState::done)
            ++counts.done;
        else
            ++counts.failed;
    }
    return counts;
}

bool is_alive(session::State state) { return state == session::State::live; }

FoundJob find_job(const session::Store& store, const std::string& name) {
    const auto wanted = session::parse_job_name(name);
    auto entry = store.find(wanted.session);
    const auto jobs = session::list_jobs(entry.session, is_alive(entry.state));
    if (jobs.empty())
        throw fatal("session '{}' has no job yet", entry.session.name)
            .with_hint("git scad inject {}", entry.session.name);
    if (!wanted.number) return {std::move(entry), jobs.back()};
    for (const auto& job : jobs) {
        if (job.number == *wanted.number) return {std::move(entry), job};
    }
    throw fatal("session '{}' has no job {}", entry.session.name, *wanted.number)
        .with_hint("git scad job list {}", entry.session.name);
}

std::string job_name(const session::Job& job) { return fmt::format("{}:{}", job.session, job.number); }

std::string short_id(std::string_view object_id) { return std::string(object_id.substr(0, 10)); }

base::Style style_of(session::State state) {
    switch (state) {
        case session::State::live:
            return base::Style::green;
        case session::State::lost:
        case session::State::damaged:
            return base::Style::red;
        case session::State::starting:
        case session::State::removing:
            return base::Style::yellow;
        case session::State::stopped:
            return base::Style::plain;
    }
    return base::Style::plain;
}

base::Style style_of(session::JobState state) {
    switch (state) {
        case session::JobState::queued:
        case session::JobState::running:
            return base::Style::cyan;
        case session::JobState::waiting:
            return base::Style::yellow;
        case session::JobState::done:
            return base::Style::green;
        default:
            return base::Style::red;
    }
}

std::size_t table_width(const base::Terminal& terminal) {
    return terminal.out_is_terminal() ? terminal.width() : 0;
}

} // namespace scad::commands
