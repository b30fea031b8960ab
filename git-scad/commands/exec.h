#pragma once

#include "session/session.h"

#include <string>
#include <vector>

namespace scad::commands {

struct ExecRequest {
    std::vector<std::string> argv;
    std::vector<std::string> environment;
    std::string directory; // inside
};

// The environment of what a person runs in a session: as that of its jobs, but without their secrets.
std::vector<std::string> exec_environment(const session::Session& session);

// Runs a program in a live session with this process's standard streams behind pipes, and gives its exit
// status, 128 + n for a signal. SIGINT, SIGTERM and SIGHUP are passed on to it. Output to a terminal
// (`safe_out`, `safe_err`) has its control characters made visible; to anything else it goes byte for byte.
// Fatal when the session ends under it.
int exec_in_session(const session::Session& session, const ExecRequest& request, bool safe_out,
                    bool safe_err);

} // namespace scad::commands
