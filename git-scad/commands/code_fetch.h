#pragma once

#include "base/context.h"
#include "session/session.h"

#include <vector>

namespace scad::commands {

// Fetches all repos of these sessions and shows git's words on stderr. The exit status: 1 when one failed.
int fetch_and_tell(const base::Context& context, const std::vector<session::Session>& sessions);

} // namespace scad::commands
