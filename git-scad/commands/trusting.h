#pragma once

#include "base/context.h"
#include "project/project.h"
#include "project/trust.h"

namespace scad::commands {

// Before a project takes effect: on a terminal shows what of its requests was not approved yet, asks, and
// approves when the answer is yes. Error::Kind::no, with the command that approves, otherwise.
void ask_for_trust(const base::Context& context, const project::Project& project);

// Shows what was not approved yet and asks; no unless the answer is "y" or "yes".
bool agrees(base::Terminal& terminal, const std::string& project, const project::TrustCheck& check);

// Whether there is somebody to ask: input and messages are a terminal.
bool can_ask(const base::Terminal& terminal);

} // namespace scad::commands
