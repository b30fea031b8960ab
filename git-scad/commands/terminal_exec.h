#pragma once

#include "base/context.h"
#include "commands/exec.h"
#include "session/session.h"

#include <string>
#include <vector>

namespace scad::commands {

// What a program has to be told of the terminal that exec_on_terminal() gives it: TERM, COLORTERM.
std::vector<std::string> terminal_environment(const base::Variables& variables);

// Runs a program in a live session on a pseudo-terminal of the session's own, shown on the user's terminal
// (which must be there). Its exit status, 128 + n for a signal. Fatal: it cannot be started, or the user's
// terminal cannot show it (TERM=dumb).
int exec_on_terminal(const base::Context& context, const session::Session& session,
                     const ExecRequest& request);

} // namespace scad::commands
