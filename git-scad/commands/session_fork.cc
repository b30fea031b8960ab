#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/starting.h"
#include "session/fork.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

constexpr std::size_t most_forks = 100; // at once

struct Options {
    std::string source;
    std::optional<std::string> name, count;
};

int fork(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const auto store = open_swept_store(context);
    const auto source = find_session(store, options.source);
    session::WantedName name;
    name.stem = options.name.value_or(source.session.name);
    if (!options.count) name.name = options.name.value_or("");
    const auto count = options.count ? parse_count("-n", *options.count, most_forks) : 1;
    const auto sessions = session::fork_session(context, store, source.session, name, count);
    for (const auto& session : sessions) {
        describe_start(context, session);
        context.terminal.line(session.name);
    }
    context.terminal.hint(fmt::format("git scad inject {} --continue -m <prompt>", sessions.front().name));
    return sessions.size() == count ? 0 : 1;
}

} // namespace

Action set_up_session_fork(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->source, "the session to copy, live or stopped");
    add_argument(app, "new", options->name, "the copy's name; by default <session>-<n>");
    add_option(app, "-n,--count", "<n>", options->count, "make that many copies of the same moment");
    return [options](Invocation& invocation) { return fork(invocation, *options); };
}

} // namespace scad::commands
