#include "commands/code_fetch.h"

#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/fetch.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {

int fetch_and_tell(const base::Context& context, const std::vector<session::Session>& sessions) {
    auto& terminal = context.terminal;
    int status = 0;
    bool news = false;
    for (const auto& fetched : review::fetch_sessions(sessions, context)) {
        const auto label = fmt::format("{}/{}: ", fetched.session, fetched.repo);
        for (const auto& line : base::lines(fetched.output)) {
            if (line.starts_with("From scad::")) continue; // the label says it
            if (fetched.ok)
                terminal.note(label + line);
            else
                terminal.error(label + line + "\n");
            news = true;
        }
        if (!fetched.ok) {
            terminal.error(fmt::format("error: could not fetch {}/{}\n", fetched.session, fetched.repo));
            status = 1;
        }
    }
    if (!news && status == 0) terminal.note("nothing new");
    return status;
}

Action set_up_code_fetch(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "session", *names, Count::any, "names, prefixes, 'loader-*'; by default all");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        std::vector<session::Session> sessions;
        for (auto& entry : select_sessions(store, *names)) {
            const bool usable = entry.state != session::State::removing && !entry.session.repos.empty();
            if (usable) sessions.push_back(std::move(entry.session));
        }
        return fetch_and_tell(context, sessions);
    };
}

} // namespace scad::commands
