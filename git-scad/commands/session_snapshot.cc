#include "base/text.h"
#include "commands/all.h"
#include "commands/sessions.h"
#include "review/save.h"
#include "review/status.h"

#include <fmt/format.h>

namespace scad::commands {
namespace {

int snapshot(const base::Context& context, const session::Store& store, const session::Entry& entry) {
    auto& terminal = context.terminal;
    int status = 0;
    for (const auto& state : review::take_snapshot(context, store, entry.session)) {
        const auto label = fmt::format("{}/{}: ", entry.session.name, base::visible(state.repo));
        if (!state.problem.empty()) {
            terminal.warning(label + "no snapshot: " + base::one_line(state.problem));
            status = 1;
            continue;
        }
        if (state.wip.empty())
            terminal.note(label + "nothing uncommitted");
        else
            terminal.note(label + fmt::format("{} changed, {} untracked, saved as {}", state.changed,
                                              state.untracked, short_id(base::visible(state.wip))));
        if (review::not_saved(state) > 0)
            terminal.warning(label + "no snapshot holds " + review::not_saved_words(state));
    }
    return status;
}

} // namespace

Action set_up_session_snapshot(CLI::App& app) { return act_on_sessions(app, snapshot); }

} // namespace scad::commands
