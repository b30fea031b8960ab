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
    std::string directory;
};

int shell(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const session::Store store(context.paths);
    const auto entry = find_session(store, options.session);
    if (session::ensure_live(context, store, entry.session))
        context.terminal.note(fmt::format("resumed session '{}', which was {}", entry.session.name,
                                          session::state_name(entry.state)));
    ExecRequest request;
    request.argv = {"/bin/bash", "--login"};
    request.environment = exec_environment(entry.session);
    request.directory = options.directory.empty() ? "/work" : options.directory;
    if (UserTerminal::is_there()) {
        request.environment =
            session::merge_environment(request.environment, terminal_environment(context.variables), {});
        return exec_on_terminal(context, entry.session, request);
    }
    // As ssh(1) does without a terminal: what comes in is a script.
    return exec_in_session(entry.session, request, context.terminal.out_is_terminal(),
                           context.terminal.err_is_terminal());
}

} // namespace

Action set_up_session_shell(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->session, "its name or an unambiguous prefix");
    add_option(app, "-w,--directory", "<directory>", options->directory, "where, inside; by default /work");
    return [options](Invocation& invocation) { return shell(invocation, *options); };
}

} // namespace scad::commands
