#pragma once

#include "base/fd.h"

#include <filesystem>

namespace scad::session {

// Supervises the session in `directory` until it is stopped or its sandbox ends: holds the flock on `alive`,
// owns the sandbox, runs its jobs, answers clients at `socket`, carries the network proxy. Returns the exit
// status: 0 when it was stopped, 1 when the sandbox ended by itself or it never became ready. `ready` gets
// "ready\n", or why it could not start (session/protocol.h, failure_text), and is closed then.
int supervise(const std::filesystem::path& directory, base::Fd ready);

} // namespace scad::session
