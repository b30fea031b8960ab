#pragma once

#include "base/context.h"
#include "project/project.h"
#include "session/session.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace scad::commands {

// How many sessions to start, and how they are called.
struct StartRequest {
    std::optional<std::string> name; // of the one; with `count`, the stem: <name>-1 …
    std::optional<std::string> count;
    std::string engine;
    std::vector<std::string> bases; // "<repo>=<revision>"
    std::vector<std::string> ports; // "web=3000"
    bool with_changes = false;
};
void add_start_options(CLI::App& app, StartRequest& request);

// Starts them one after another and describes each on stderr. One that fails does not take back those that
// were started: it is said, and the others come. What keeps the first one from starting is thrown as it is.
std::vector<session::Session> start_sessions(const base::Context& context, project::Project& project,
                                             const StartRequest& request);

// Says on stderr what a session that was just started has: repos, limits with their means, network, warnings.
// With -q only the warnings.
void describe_start(const base::Context& context, const session::Session& session);

} // namespace scad::commands
