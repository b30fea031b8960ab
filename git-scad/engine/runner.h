#pragma once

#include "base/fd.h"
#include "engine/engine.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace scad::engine {

// A program to run inside: what a sandbox and a live session have in common.
struct RunRequest {
    std::vector<std::string> argv;
    std::vector<std::string> environment; // complete
    std::string directory = "/";
    int in = -1; // borrowed for the call; -1: /dev/null
    int out = -1;
    int err = -1;
};

struct RunResult {
    int wait_status = 0;
    bool timed_out = false;
    bool ok() const { return wait_status == 0 && !timed_out; }
};

// A program that was started.
class Running {
  public:
    virtual ~Running() = default; // kills it when it has not ended
    virtual int fd() const = 0;   // readable when wait() may have news
    virtual std::optional<RunResult>
    poll() = 0; // never waits; empty: still running. Fatal when the sandbox ended under it
    virtual RunResult wait(std::chrono::milliseconds limit) = 0; // kills it past the limit (0: none)
    virtual void kill() = 0;
};

// Runs programs in a sandbox: the supervisor for a live session, a throw-away sandbox otherwise.
class Runner {
  public:
    virtual ~Runner() = default;
    virtual std::unique_ptr<Running> start(const RunRequest& request) = 0; // fatal when it cannot be started
};

// A Runner over a sandbox of its own, started at once, ended by the destructor.
std::unique_ptr<Runner> make_throwaway(const Engine& engine, const SandboxSpec& spec);

struct Output {
    RunResult result;
    std::string out;
    std::string err; // at most 64 KiB
};
// Runs to the end with captured output; more than `output_limit` bytes on stdout kills it (timed_out is set
// then, err says why).
Output run_captured(Runner& runner, RunRequest request, std::string input, std::chrono::milliseconds limit,
                    std::size_t output_limit);

} // namespace scad::engine
