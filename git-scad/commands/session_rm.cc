#include "commands/session_rm.h"

#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/gc.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    review::RemoveOptions remove;
};

// Also one that cannot be read.
session::Entry entry_of(const session::Store& store, const std::string& name) {
    for (auto& entry : store.list()) {
        if (entry.session.name == name) return std::move(entry);
    }
    return store.find_exact(name); // fatal, with the nearest name
}

int remove(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const auto store = open_swept_store(context);
    return for_each_name(context, parse_names(options.sessions), [&](const std::string& name) {
        if (options.remove.purge && !store.exists(name) && store.in_trash(name)) {
            review::purge_trash(context, store, name);
            context.terminal.note(fmt::format("dropped session '{}' from the trash", name));
            return 0;
        }
        return remove_and_tell(context, store, entry_of(store, name), options.remove);
    });
}

} // namespace

int remove_and_tell(const base::Context& context, const session::Store& store, const session::Entry& entry,
                    const review::RemoveOptions& options) {
    auto& terminal = context.terminal;
    const auto& name = entry.session.name;
    const auto removal = review::remove_session(context, store, entry, options);
    for (const auto& note : removal.notes) terminal.warning(note);
    if (options.purge) {
        terminal.note(fmt::format("removed session '{}' for good", name));
    } else {
        terminal.note(
            fmt::format("removed session '{}'; `git scad session undelete {}` brings it back", name, name));
    }
    review::collect_now_and_then(context);
    return removal.saved ? 0 : 1;
}

Action set_up_session_rm(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::at_least_one,
                  "whole names; no prefixes or patterns");
    add_flag(app, "-f,--force", options->remove.force, "go on when the work cannot be saved");
    add_flag(app, "--purge", options->remove.purge, "drop it at once instead of keeping it in the trash");
    return [options](Invocation& invocation) { return remove(invocation, *options); };
}

} // namespace scad::commands
