#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    bool trash = false;
    Format format;
};

int list_trash(const base::Context& context, const session::Store& store) {
    base::Table table({{"NAME"}, {"REMOVED"}});
    for (const auto& trashed : store.trash())
        table.add({{trashed.name}, {base::format_age(trashed.removed, base::unix_now())}});
    if (table.empty()) {
        context.terminal.note("the trash is empty");
        return 0;
    }
    context.terminal.write(table.render(context.terminal, table_width(context.terminal)));
    context.terminal.hint("git scad session undelete <name>");
    return 0;
}

std::string jobs_words(const JobCounts& counts) {
    std::vector<std::string> words;
    if (counts.running > 0) words.push_back(fmt::format("{} running", counts.running));
    if (counts.done > 0) words.push_back(fmt::format("{} done", counts.done));
    if (counts.failed > 0) words.push_back(fmt::format("{} failed", counts.failed));
    return base::join(words, ", ");
}

int list(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto& terminal = context.terminal;
    check_format(options.format);
    const auto store = open_swept_store(context);
    if (options.trash) {
        if (options.format.json || options.format.porcelain || options.format.nul)
            throw usage("--trash has no machine-readable form");
        return list_trash(context, store);
    }
    nlohmann::json sessions = nlohmann::json::array();
    base::Table table(
        {{"SESSION"}, {"PROJECT", false, true}, {"STATE"}, {"JOBS"}, {"CREATED", false, false, 1}});
    for (const auto& entry : select_sessions(store, options.sessions)) {
        const auto& session = entry.session;
        const auto counts = count_jobs(session::list_jobs(session, is_alive(entry.state)));
        const std::string state(session::state_name(entry.state));
        if (options.format.json) {
            sessions.push_back({{"name", session.name},
                                {"project", session.project},
                                {"state", state},
                                {"engine", session.engine},
                                {"running", counts.running},
                                {"finished", counts.done},
                                {"failed", counts.failed},
                                {"created", session.created}});
        } else if (options.format.porcelain || options.format.nul) {
            terminal.write(base::porcelain_record(
                {session.name, session.project, state, session.engine, std::to_string(counts.running),
                 std::to_string(counts.done), std::to_string(counts.failed),
                 session.created > 0 ? std::to_string(session.created) : ""},
                options.format.nul));
        } else {
            const auto created =
                session.created > 0 ? base::format_age(session.created, base::unix_now()) : std::string();
            table.add({{session.name},
                       {session.project},
                       {state, style_of(entry.state)},
                       {jobs_words(counts)},
                       {created}});
        }
    }
    if (options.format.json) {
        terminal.write(base::to_text({{"version", 1}, {"sessions", sessions}}));
    } else if (!options.format.porcelain && !options.format.nul) {
        if (table.empty())
            terminal.note("no sessions; `git scad session start <project>` starts one");
        else
            terminal.write(table.render(terminal, table_width(terminal)));
    }
    return 0;
}

} // namespace

Action set_up_session_list(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::any, "only these: names, prefixes, 'loader-*'");
    add_flag(app, "--trash", options->trash, "list what was removed and can be brought back");
    add_format(app, options->format);
    return [options](Invocation& invocation) { return list(invocation, *options); };
}

} // namespace scad::commands
