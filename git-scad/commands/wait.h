#pragma once

#include "base/context.h"
#include "session/job.h"
#include "session/session.h"
#include "session/store.h"

#include <vector>

namespace scad::commands {

// Waits, without a word, until these jobs have ended and the snapshots after them are taken. Returns them as
// they are then.
std::vector<session::Job> wait_for(const base::Context& context,
                                   const std::vector<std::pair<session::Session, session::Job>>& jobs);

} // namespace scad::commands
