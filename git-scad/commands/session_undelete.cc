#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/remove.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {

Action set_up_session_undelete(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::at_least_one,
                  "whole names; `git scad session list --trash`");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const auto store = open_swept_store(context);
        return for_each_name(context, parse_names(*names), [&](const std::string& name) {
            review::undelete_session(context, store, name);
            context.terminal.note(fmt::format("session '{}' is back, stopped", name));
            return 0;
        });
    };
}

} // namespace scad::commands
