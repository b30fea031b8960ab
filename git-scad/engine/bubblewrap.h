#pragma once

#include "base/fd.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/socket.h"
#include "engine/engine.h"
#include "engine/init/protocol.h"
#include "engine/limits.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace scad::engine {

// The engine that needs nothing but bwrap(1) on the host; see make_engine().
std::unique_ptr<Engine> make_bubblewrap();

// What starting has made, for the sandbox to own.
struct BubblewrapParts {
    base::MessageSocket channel;       // to process 1
    base::Child monitor;               // bubblewrap, outside the sandbox; the parent of process 1
    pid_t init_pid = -1;               // process 1 as the host sees it
    base::Fd init;                     // pidfd of it
    base::Fd complaints;               // read end of their standard error, non-blocking
    base::Fd watch;                    // inotify: the overlays; may be empty
    std::vector<base::FileLock> locks; // one beside each upper layer or working copy
    std::unique_ptr<Cgroup> cgroup;
    std::vector<LimitMeans> limits;
};

std::unique_ptr<Sandbox> make_bubblewrap_sandbox(BubblewrapParts parts);

// Whether the process of a pidfd has ended; waits at most `milliseconds`.
bool has_ended(int pidfd, int milliseconds);
// What is there to read now, without waiting.
std::string read_available(int fd);
// The last `count` lines of it that say something, each without "bwrap: " and "scad-init: ".
std::string last_lines(const std::string& text, std::size_t count);

} // namespace scad::engine
