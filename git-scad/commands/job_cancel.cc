#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "session/client.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

int cancel(const base::Context& context, const FoundJob& found) {
    const auto name = job_name(found.job);
    if (session::is_final(found.job.state)) {
        context.terminal.note(
            fmt::format("job {} is {} already", name, session::job_state_name(found.job.state)));
        return 0;
    }
    auto client = session::Client::require(found.entry.session);
    session::Request request;
    request.kind = session::Request::Kind::cancel;
    request.number = found.job.number;
    client.send(request);
    client.receive();
    context.terminal.note(fmt::format("cancelling job {}", name));
    return 0;
}

} // namespace

Action set_up_job_cancel(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "job", *names, Count::at_least_one, "<session>:<number>, or <session> for its newest");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        return for_each_name(context, parse_names(*names),
                             [&](const std::string& name) { return cancel(context, find_job(store, name)); });
    };
}

} // namespace scad::commands
