#include "base/error.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/starting.h"
#include "project/discover.h"
#include "project/load.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::optional<std::string> project, argument;
    StartRequest start;
};

int start(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto request = options.start;
    if (options.argument && request.name) throw usage("a name as argument and --name exclude each other");
    if (options.argument) request.name = options.argument;
    const auto known = project::find_project(options.project, context);
    auto project = project::load(known.docs_repo, known.name, context);
    open_swept_store(context);
    const auto sessions = start_sessions(context, project, request);
    for (const auto& session : sessions) context.terminal.line(session.name);
    context.terminal.hint(fmt::format("git scad inject {}", sessions.front().name));
    return 0;
}

} // namespace

Action set_up_session_start(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "a project's name; by default the one you stand in");
    add_argument(app, "name", options->argument, "the session's name; by default <project>-<n>");
    add_option(app, "--name", "<name>", options->start.name, "the same; with -n, <name>-1, <name>-2 …");
    add_option(app, "-n,--count", "<n>", options->start.count, "start that many");
    add_option(app, "--engine", "<engine>", options->start.engine, "what makes the sandbox: bubblewrap");
    add_start_options(app, options->start);
    return [options](Invocation& invocation) { return start(invocation, *options); };
}

} // namespace scad::commands
