#include "base/error.h"
#include "commands/all.h"
#include "commands/exec.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "session/launcher.h"
#include "session/plan.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::string session;
    std::vector<std::string> command;
    std::string directory;
    std::vector<std::string> variables;
};

int exec(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto argv = options.command;
    argv.insert(argv.end(), invocation.words.begin(), invocation.words.end());
    if (argv.empty())
        throw usage("a command is missing")
            .with_hint("git scad session exec {} -- make test", options.session);
    check_command(argv);
    check_command(options.variables);
    const session::Store store(context.paths);
    const auto entry = find_session(store, options.session);
    if (session::ensure_live(context, store, entry.session))
        context.terminal.note(fmt::format("resumed session '{}', which was {}", entry.session.name,
                                          session::state_name(entry.state)));
    auto session = entry.session;
    for (auto& variable : session::read_status(session.directory).device_variables)
        session.variables.push_back(std::move(variable));
    ExecRequest request;
    request.argv = std::move(argv);
    request.environment = session::session_environment(session, {});
    for (const auto& variable : options.variables) {
        if (variable.find('=') == std::string::npos || variable.starts_with('='))
            throw usage("--env wants <name>=<value>, not '{}'", variable);
        request.environment.push_back(variable);
    }
    request.directory = options.directory.empty() ? entry.session.agent_directory : options.directory;
    return exec_in_session(entry.session, request, context.terminal.out_is_terminal(),
                           context.terminal.err_is_terminal());
}

} // namespace

Action set_up_session_exec(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->session, "its name or an unambiguous prefix");
    add_arguments(app, "command", options->command, Count::any,
                  "the command; after '--' when it has options");
    add_option(app, "-w,--directory", "<directory>", options->directory,
               "where, inside; by default the agent's directory");
    add_option(app, "-e,--env", "<name>=<value>", options->variables, "set a variable (again and again)");
    return [options](Invocation& invocation) { return exec(invocation, *options); };
}

} // namespace scad::commands
