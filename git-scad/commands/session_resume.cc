#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "session/launcher.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {

Action set_up_session_resume(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::at_least_one, "names, prefixes, 'loader-*'");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        return for_each_session(context, select_sessions(store, *names), [&](const auto& entry) {
            const auto& name = entry.session.name;
            const bool started = session::ensure_live(context, store, entry.session);
            context.terminal.note(started ? fmt::format("resumed session '{}', which was {}", name,
                                                        session::state_name(entry.state))
                                          : fmt::format("session '{}' is live already", name));
            return 0;
        });
    };
}

} // namespace scad::commands
