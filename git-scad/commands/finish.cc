#include "base/error.h"
#include "commands/all.h"
#include "commands/harvest.h"
#include "commands/options.h"
#include "commands/session_rm.h"
#include "commands/sessions.h"

#include <algorithm>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    review::RemoveOptions remove;
};

int finish(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const auto store = open_swept_store(context);
    std::vector<session::Entry> entries;
    const int found = for_each_name(context, parse_names(options.sessions), [&](const std::string& name) {
        entries.push_back(store.find_exact(name));
        return 0;
    });
    if (entries.empty()) return found;
    // A job that failed is no reason to keep the session; what could not be saved is, and `session rm` finds
    // that out by itself.
    const int harvested = harvest_sessions(context, store, entries);
    const int removed = for_each_session(context, entries, [&](const auto& entry) {
        return remove_and_tell(context, store, store.find_exact(entry.session.name), options.remove);
    });
    return std::max({found, harvested, removed});
}

} // namespace

Action set_up_finish(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::at_least_one,
                  "whole names; no prefixes or patterns");
    add_flag(app, "-f,--force", options->remove.force, "go on when the work cannot be saved");
    add_flag(app, "--purge", options->remove.purge, "drop it at once instead of keeping it in the trash");
    return [options](Invocation& invocation) { return finish(invocation, *options); };
}

} // namespace scad::commands
