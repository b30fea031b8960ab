#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

// Each job runs under a small process of its own, its leader: a child subreaper (PR_SET_CHILD_SUBREAPER), so
// that whatever the job starts, daemons too, stays below it and can be told apart from other jobs. The leader
// tells process 1 how the program fares and leaves the rest to process 1, because a job may kill its leader:
// both have the same user.
namespace scad::init {

// Limits of each program, hard and soft alike; 0: not limited.
struct JobLimits {
    std::uint64_t processes = 0;  // of the whole sandbox: counted per user name space
    std::uint64_t open_files = 0; // of each process
    std::uint64_t file_size = 0;  // bytes
};

// What a leader writes to its pipe (whole: smaller than PIPE_BUF).
struct Report {
    enum class Kind : std::uint32_t { forked = 1, started = 2, failed = 3, ended = 4 };
    enum class Step : std::uint32_t { fork = 1, payload, streams, limits, directory, program };
    Kind kind = Kind::failed;
    Step step = Step::fork; // failed: where
    std::int32_t value = 0; // forked, started: pid; failed: errno; ended: wait status
};

// "No such file or directory", "cannot enter its directory: …".
std::string describe(const Report& report);

// A program's 0-2; `terminal`: they are one, which is to control it.
struct Streams {
    int fds[3] = {-1, -1, -1};
    bool terminal = false;
};

// In a fresh child of process 1: starts the program that `payload` (see protocol.h) describes and reports
// until it is killed.
[[noreturn]] void run_leader(int payload, const Streams& streams, int report, const JobLimits& limits);

// Limits as they can be set here (not above the hard limits that were inherited), for reading back.
JobLimits achievable(const JobLimits& wanted);

} // namespace scad::init
