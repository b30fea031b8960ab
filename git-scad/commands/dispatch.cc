#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/build.h"
#include "commands/inject.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/starting.h"
#include "commands/trusting.h"
#include "project/discover.h"
#include "project/load.h"
#include "session/start.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::optional<std::string> project;
    StartRequest start;
    WorkOptions work;
    bool wait = false;
};

// With one argument: is it the project or the prompt?
void tell_project_from_prompt(const base::Context& context, Options& options, bool has_words) {
    if (!options.project || options.work.prompt.text || has_words || has_prompt(options.work.prompt)) return;
    const auto known = project::known_projects(context);
    const bool is_project = std::any_of(known.begin(), known.end(),
                                        [&](const auto& each) { return each.name == *options.project; });
    // A word that could be a name is a mistyped project more likely than a prompt.
    if (is_project || project::name_problem(*options.project).empty()) return;
    options.work.prompt.text = options.project;
    options.project.reset();
}

int dispatch(Invocation& invocation, Options options) {
    const auto& context = invocation.context;
    auto& terminal = context.terminal;
    tell_project_from_prompt(context, options, invocation.has_words);
    check_work(options.work, invocation);
    const auto known = project::find_project(options.project, context);
    auto project = project::load(known.docs_repo, known.name, context);
    ask_for_trust(context, project);
    session::Logins logins(context);
    const auto agent = session::agent_of(context, project);
    check_agent(context, agent, agent == project.agent.use ? project.agent.login : "auto", project.agent.env,
                options.work, invocation.has_words, logins);
    const auto work = read_work(options.work, invocation, project.docs_repo,
                                fmt::format("To a new session of project {}", project.name));
    const auto store = open_swept_store(context);
    build_project(context, project);
    const auto sessions = start_sessions(context, project, options.start);
    std::vector<session::Entry> entries;
    std::vector<std::string> names;
    for (const auto& session : sessions) {
        entries.push_back(store.find_exact(session.name));
        names.push_back(session.name);
    }
    const int status = inject_into(context, store, entries, work, !options.wait, logins);
    const auto all = base::join(names, " ");
    terminal.hint(fmt::format("git scad status, then git scad harvest {0}, then git scad finish {0}", all));
    return status;
}

} // namespace

Action set_up_dispatch(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "a project's name; by default the one you stand in");
    add_argument(app, "prompt", options->work.prompt.text, "the prompt; without any, the editor opens");
    add_work_options(app, options->work);
    add_option(app, "--name", "<name>", options->start.name,
               "the session's name; with -n, <name>-1, <name>-2 …");
    add_option(app, "-n,--count", "<n>", options->start.count, "that many sessions, the same work in each");
    add_option(app, "--engine", "<engine>", options->start.engine, "what makes the sandbox: bubblewrap");
    add_start_options(app, options->start);
    add_flag(app, "--wait", options->wait, "show what the jobs do, and wait for them");
    return [options](Invocation& invocation) { return dispatch(invocation, *options); };
}

} // namespace scad::commands
