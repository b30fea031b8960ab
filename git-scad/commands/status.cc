#include "review/status.h"

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/summary.h"
#include "session/client.h"
#include "session/json_values.h"
#include "session/mount_layers.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

constexpr std::chrono::seconds settle_limit{3};
constexpr std::size_t drift_shown = 5;

struct Options {
    std::vector<std::string> sessions;
    bool watch = false;
    Format format;
};

struct SessionStatus {
    session::Entry entry;
    std::vector<session::Job> jobs;
    std::vector<review::StatusRow> rows;
};

// A job that has just ended is being saved: what its session's status says is about to change.
void settle(session::Entry& entry, std::vector<session::Job>& jobs) {
    if (!is_alive(entry.state)) return;
    const session::Job* newest = nullptr;
    for (const auto& job : jobs) {
        if (session::is_final(job.state) && (newest == nullptr || job.ended >= newest->ended)) newest = &job;
    }
    if (newest == nullptr || newest->saved) return;
    try {
        auto client = session::Client::connect(entry.session);
        if (!client) return;
        session::Request request;
        request.kind = session::Request::Kind::settle;
        client->send(request);
        client->receive(settle_limit);
    } catch (const Error&) { // then what the files say is all there is
    }
    entry.status = session::read_status(entry.session.directory);
    jobs = session::list_jobs(entry.session, true);
}

SessionStatus ask(session::Entry entry, const base::Variables& variables) {
    auto jobs = session::list_jobs(entry.session, is_alive(entry.state));
    settle(entry, jobs);
    std::vector<review::HostFacts> facts;
    for (const auto& repo : entry.session.repos)
        facts.push_back(review::ask_host(
            entry.session, repo, review::state_of(entry.session, entry.status, repo.name), variables));
    auto rows = review::status_rows(entry, facts);
    return {std::move(entry), std::move(jobs), std::move(rows)};
}

std::string count_field(const std::optional<std::int64_t>& count) {
    return count ? std::to_string(*count) : "";
}

void print_porcelain(base::Terminal& terminal, const std::vector<SessionStatus>& sessions, bool nul) {
    for (const auto& session : sessions) {
        for (const auto& row : session.rows)
            terminal.write(base::porcelain_record(
                {row.session, std::string(session::state_name(row.state)), row.repo, row.branch,
                 std::to_string(row.ahead), std::to_string(row.changed), std::to_string(row.untracked),
                 count_field(row.not_fetched), std::to_string(row.not_saved)},
                nul));
    }
}

nlohmann::json row_json(const review::StatusRow& row) {
    nlohmann::json value = {{"repo", row.repo},           {"branch", row.branch},
                            {"ahead", row.ahead},         {"changed", row.changed},
                            {"untracked", row.untracked}, {"not_fetched", nullptr},
                            {"not_saved", row.not_saved}, {"problem", row.problem}};
    if (row.not_fetched) value["not_fetched"] = *row.not_fetched;
    return value;
}

void print_json(base::Terminal& terminal, const std::vector<SessionStatus>& sessions) {
    nlohmann::json document = {{"version", 1}};
    document["sessions"] = nlohmann::json::array();
    for (const auto& each : sessions) {
        const auto& entry = each.entry;
        nlohmann::json session = {{"name", entry.session.name},
                                  {"project", entry.session.project},
                                  {"state", session::state_name(entry.state)},
                                  {"note", entry.status.note},
                                  {"saved", entry.status.taken},
                                  {"packages_changed", session::drift_to_json(entry.status.drift)}};
        session["jobs"] = nlohmann::json::array();
        for (const auto& job : each.jobs)
            session["jobs"].push_back({{"number", job.number},
                                       {"agent", job.agent},
                                       {"state", session::job_state_name(job.state)},
                                       {"reason", job.reason},
                                       {"started", job.started},
                                       {"ended", job.ended},
                                       {"prompt", job.prompt_line}});
        session["repos"] = nlohmann::json::array();
        for (const auto& row : each.rows) session["repos"].push_back(row_json(row));
        document["sessions"].push_back(std::move(session));
    }
    terminal.write(base::to_text(document));
}

// What the jobs of a session come to, in a few words: what runs first, else how the newest ended.
base::Table::Cell jobs_cell(const std::vector<session::Job>& jobs) {
    std::int64_t running = 0;
    std::int64_t waiting = 0;
    for (const auto& job : jobs) {
        if (job.state == session::JobState::waiting)
            ++waiting;
        else if (!session::is_final(job.state))
            ++running;
    }
    if (waiting > 0) return {fmt::format("{} waiting for you", waiting), base::Style::yellow};
    if (running > 0) return {fmt::format("{} running", running), base::Style::cyan};
    if (jobs.empty()) return {"-", base::Style::dim};
    const auto& newest = jobs.back();
    return {fmt::format(":{} {}", newest.number, session::job_state_name(newest.state)),
            style_of(newest.state)};
}

base::Table::Cell changes_cell(const review::StatusRow& row) {
    if (row.changed + row.untracked == 0) return {"-", base::Style::dim};
    std::vector<std::string> words;
    if (row.changed > 0) words.push_back(fmt::format("{} mod", row.changed));
    if (row.untracked > 0) words.push_back(fmt::format("{} new", row.untracked));
    return {base::join(words, ", "), base::Style::plain};
}

base::Table::Cell fetch_cell(const review::StatusRow& row) {
    if (!row.not_fetched) return {"no host repo", base::Style::red};
    if (*row.not_fetched == 0) return {"-", base::Style::dim};
    return {std::to_string(*row.not_fetched), base::Style::yellow};
}

void print_table(base::Terminal& terminal, const std::vector<SessionStatus>& sessions) {
    // A name is there to be pasted; the branch is that of the session, most often by its name.
    base::Table table({{"SESSION"},
                       {"STATE"},
                       {"JOBS"},
                       {"REPO", false, true},
                       {"BRANCH", false, true, 3},
                       {"AHEAD", true, false, 2},
                       {"CHANGES", false, true, 1},
                       {"FETCH", true},
                       {"UNSAVED", false, true}});
    bool to_fetch = false;
    std::vector<std::string> notes;
    for (const auto& each : sessions) {
        const auto& name = each.entry.session.name;
        bool first = true;
        const auto head = [&](std::vector<base::Table::Cell> rest) {
            std::vector<base::Table::Cell> cells = {
                {first ? name : "", base::Style::bold},
                {first ? std::string(session::state_name(each.entry.state)) : "", style_of(each.entry.state)},
                first ? jobs_cell(each.jobs) : base::Table::Cell{}};
            cells.insert(cells.end(), rest.begin(), rest.end());
            table.add(std::move(cells));
            first = false;
        };
        for (const auto& row : each.rows) {
            to_fetch = to_fetch || row.not_fetched.value_or(0) > 0;
            head({{base::visible(row.repo)},
                  row.branch.empty() ? base::Table::Cell{"(detached)", base::Style::yellow}
                                     : base::Table::Cell{base::visible(row.branch)},
                  row.ahead == 0 ? base::Table::Cell{"-", base::Style::dim}
                                 : base::Table::Cell{std::to_string(row.ahead)},
                  changes_cell(row),
                  fetch_cell(row),
                  row.not_saved == 0 ? base::Table::Cell{"-", base::Style::dim}
                                     : base::Table::Cell{row.not_saved_words, base::Style::yellow}});
            if (!row.problem.empty())
                notes.push_back(fmt::format("{}/{}: no snapshot: {}", name, base::visible(row.repo),
                                            base::one_line(row.problem)));
        }
        if (each.rows.empty()) head({});
        for (const auto& mount : each.entry.session.mounts) {
            if (mount.layer.empty()) continue;
            const auto words = session::layer_words(session::measure_layer(each.entry.session, mount));
            if (!words.empty())
                notes.push_back(fmt::format("{}: {} has {}", name, base::visible(mount.target), words));
        }
        if (const auto drift = environment::drift_words(each.entry.status.drift, drift_shown); !drift.empty())
            notes.push_back(name + ": python packages changed: " + base::one_line(drift));
        if (!each.entry.status.note.empty())
            notes.push_back(name + ": " + base::one_line(each.entry.status.note));
        if (!each.jobs.empty() && session::is_final(each.jobs.back().state) &&
            !each.jobs.back().reason.empty())
            notes.push_back(name + ":" + review::job_line(each.jobs.back()));
    }
    terminal.write(table.render(terminal, table_width(terminal)));
    for (const auto& note : notes) terminal.line(note);
    if (to_fetch && terminal.out_is_terminal()) terminal.hint("git scad code fetch");
}

int status(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    check_format(options.format);
    if (options.watch) throw fatal("--watch is not in this build yet").with_hint("watch -c git scad status");
    const auto store = open_swept_store(context);
    std::vector<SessionStatus> sessions;
    for (auto& entry : select_sessions(store, options.sessions))
        sessions.push_back(ask(std::move(entry), context.variables));
    if (options.format.json)
        print_json(context.terminal, sessions);
    else if (options.format.porcelain || options.format.nul)
        print_porcelain(context.terminal, sessions, options.format.nul);
    else if (sessions.empty())
        context.terminal.note("no sessions; `git scad session start <project>` starts one");
    else
        print_table(context.terminal, sessions);
    return 0;
}

} // namespace

Action set_up_status(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::any,
                  "only of these: names, prefixes, 'loader-*'");
    add_flag(app, "--watch", options->watch, "go on and on (not in this build yet)");
    add_format(app, options->format);
    return [options](Invocation& invocation) { return status(invocation, *options); };
}

} // namespace scad::commands
