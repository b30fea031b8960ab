#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "session/update.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

std::string words_of(const session::Updated& updated) {
    if (updated.branch.empty()) return "started at no branch: nothing to update";
    const auto name = "origin/" + base::visible(updated.branch);
    if (updated.from == updated.to) return fmt::format("{} is up to date at {}", name, short_id(updated.to));
    if (updated.from.empty()) return fmt::format("{} is {}", name, short_id(updated.to));
    return fmt::format("{} was {}, is {}", name, short_id(updated.from), short_id(updated.to));
}

} // namespace

Action set_up_session_update(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::at_least_one, "names, prefixes, 'loader-*'");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        return for_each_session(context, select_sessions(store, *names), [&](const session::Entry& entry) {
            for (const auto& updated : session::update_session(context, entry.session))
                context.terminal.note(
                    fmt::format("{}/{}: {}", entry.session.name, updated.repo, words_of(updated)));
            return 0;
        });
    };
}

} // namespace scad::commands
