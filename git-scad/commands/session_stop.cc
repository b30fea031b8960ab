#include "base/text.h"
#include "commands/all.h"
#include "commands/sessions.h"
#include "session/launcher.h"

#include <fmt/format.h>

namespace scad::commands {
namespace {

int stop(const base::Context& context, const session::Store& store, const session::Entry& entry) {
    const auto& name = entry.session.name;
    if (!is_alive(entry.state)) {
        context.terminal.note(
            fmt::format("session '{}' is {} already", name, session::state_name(entry.state)));
        return 0;
    }
    const auto running = count_jobs(session::list_jobs(entry.session, true)).running;
    session::stop_session(store, entry.session);
    context.terminal.note(running == 0
                              ? fmt::format("stopped session '{}'", name)
                              : fmt::format("stopped session '{}' and {} of its jobs", name, running));
    for (const auto& state : session::read_status(entry.session.directory).repos) {
        if (!state.problem.empty())
            context.terminal.warning(base::one_line(fmt::format(
                "{}/{}: uncommitted work is not in a snapshot: {}", name, state.repo, state.problem)));
    }
    return 0;
}

} // namespace

Action set_up_session_stop(CLI::App& app) { return act_on_sessions(app, stop); }

} // namespace scad::commands
