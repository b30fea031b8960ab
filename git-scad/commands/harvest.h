#pragma once

#include "base/context.h"
#include "session/store.h"

#include <vector>

namespace scad::commands {

// Waits for the jobs of these sessions, takes a snapshot where one is due, fetches, and prints a summary of
// each. The exit status: 1 when a job did not end well or something could not be fetched or saved.
int harvest_sessions(const base::Context& context, const session::Store& store,
                     const std::vector<session::Entry>& entries);

} // namespace scad::commands
