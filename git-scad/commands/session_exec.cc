#include "base/error.h"
#include "commands/all.h"
#include "commands/exec.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/terminal_exec.h"
#include "commands/user_terminal.h"
#include "session/job_runner.h"
#include "session/launcher.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::string session;
    std::vector<std::string> command;
    std::string directory;
    std::vector<std::string> variables;
    bool terminal = false;
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
    for (const auto& variable : options.variables)
        if (variable.find('=') == std::string::npos || variable.starts_with('='))
            throw usage("--env wants <name>=<value>, not '{}'", variable);
    if (options.terminal && !UserTerminal::is_there())
        throw fatal("--terminal needs one: standard input and output are none");
    const session::Store store(context.paths);
    const auto entry = find_session(store, options.session);
    if (session::ensure_live(context, store, entry.session))
        context.terminal.note(fmt::format("resumed session '{}', which was {}", entry.session.name,
                                          session::state_name(entry.state)));
    ExecRequest request;
    request.argv = std::move(argv);
    request.environment = exec_environment(entry.session);
    if (options.terminal)
        request.environment =
            session::merge_environment(request.environment, terminal_environment(context.variables), {});
    request.environment = session::merge_environment(request.environment, options.variables, {});
    request.directory = options.directory.empty() ? entry.session.agent_directory : options.directory;
    if (options.terminal) return exec_on_terminal(context, entry.session, request);
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
    add_flag(app, "-t,--terminal", options->terminal, "on a terminal, shown on yours");
    return [options](Invocation& invocation) { return exec(invocation, *options); };
}

} // namespace scad::commands
