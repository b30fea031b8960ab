#pragma once

#include "base/context.h"
#include "session/session.h"
#include "session/store.h"

#include <chrono>
#include <optional>

namespace scad::session {

// Starts scad-supervisor for a session directory (own session, no descriptor of the caller's but a pipe) and
// waits until it is ready. Fatal with the supervisor's own words otherwise. The caller holds the name's lock.
void launch_supervisor(const Session& session);

// Makes sure that it is live: resumes a stopped or lost session under its lock, repairs its remotes and refs,
// marks jobs that its end cut short as lost. Returns true when it had to.
bool ensure_live(const base::Context& context, const Store& store, const Session& session);

// Ends all jobs, takes a bounded snapshot, ends the sandbox; never refuses. A supervisor that does not answer
// within the limit is killed (by the pidfd of who holds the socket). Waits until `alive` is free.
void stop_session(const Store& store, const Session& session);
// The same for a caller that holds the name's lock.
void end_session(const Session& session);

} // namespace scad::session
