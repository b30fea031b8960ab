#pragma once

#include "base/fd.h"
#include "base/paths.h"
#include "engine/sandbox_spec.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace scad::engine {

struct TerminalSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
};

// One program to be started by process 1 of a sandbox.
struct JobStart {
    std::uint64_t id = 0; // chosen by the caller, never used twice in one sandbox
    std::vector<std::string> argv;
    std::vector<std::string>
        environment;       // complete, "NAME=value"; secrets may be in it: it travels in a sealed memory file
    std::string directory; // inside; absolute
    int in = -1; // descriptors for the program's 0-2, borrowed for the call; never the user's terminal
    int out = -1;
    int err = -1;
    std::optional<TerminalSize> terminal = {}; // instead of the descriptors: a new pseudo-terminal of the
                                               // sandbox's own, as its controlling one
};

struct SandboxEvent {
    enum class Kind {
        terminal,   // id, descriptor: the master of its pseudo-terminal (pty(7)); before `started`
        started,    // id, pid inside the sandbox
        failed,     // id, message: the program could not be started ("no such file or directory")
        ended,      // id, wait_status: the program ended, and nothing that it started is left
        connection, // descriptor: a job connected to the proxy port
        frozen,     // after freeze(): all stand still; with a message: they do not, and go on
        gone,       // the whole sandbox has ended; message says how. The last event
    };
    Kind kind = Kind::gone;
    std::uint64_t id = 0;
    pid_t pid = 0;
    int wait_status = 0;
    std::string message;
    base::Fd descriptor;
};

// A running sandbox. Its destructor ends it with all in it. Used from one thread.
class Sandbox {
  public:
    virtual ~Sandbox() = default;
    virtual int events_fd() const = 0;                    // readable (poll) when next_event() has something
    virtual std::optional<SandboxEvent> next_event() = 0; // never waits
    virtual void start_job(const JobStart& job) = 0; // `started` or `failed` follows. Never waits for the job
    virtual void signal_job(
        std::uint64_t id,
        int number) = 0; // to the program itself and its process group; unknown or ended: nothing happens
    virtual void end_job(
        std::uint64_t id) = 0; // SIGKILL to all that it started, daemons too; `ended` follows
    // Stops every process of every job where it is, so that nothing is written meanwhile; `frozen` follows.
    // No job may be started until thaw(). What a job itself has stopped stays so.
    virtual void freeze() = 0;
    virtual void thaw() = 0;
    virtual void stop() = 0; // SIGKILL to all; returns when the kernel has let go of it (its overlays are
                             // free), at most 10 s
    virtual std::uint64_t memory_use()
        const = 0; // bytes, for the watch: sum of PSS of all its processes and what its /dev/shm holds
    virtual const std::vector<LimitMeans>& limits() const = 0; // as they stand now, read back
};

struct Capabilities {
    bool overlay = false; // Overlay mounts with upper
    bool user_namespaces = false;
    bool cgroup = false;            // can hold memory, pids, cpus for the whole sandbox
    std::string version;            // "bubblewrap 0.8.0"
    std::vector<std::string> lacks; // one sentence each, with the command that mends it
};

class Engine {
  public:
    virtual ~Engine() = default;
    virtual std::string_view name() const = 0;     // "bubblewrap"
    virtual Capabilities capabilities() const = 0; // tried, not guessed
    // Starts a sandbox and waits until its process 1 answers. Fatal: with the engine's own last lines; a
    // limit that has no means at all is fatal too.
    virtual std::unique_ptr<Sandbox> start(const SandboxSpec& spec) const = 0;
};

// By name; an unknown one is fatal and names those there are; one that this build does not have ("podman",
// "docker") says so.
std::unique_ptr<Engine> make_engine(std::string_view name);

// The mounts of a sandbox that sees the host's programs: /usr and /opt read-only, /bin … links, the parts of
// /etc that programs need (passwd with user "agent" uid 1000 home /home/agent, group, nsswitch.conf, hosts,
// certificates, ld.so.cache …; resolv.conf with NetworkMode::host). Proc, dev and masks are the engine's own.
// Looks at the host for what exists.
std::vector<Mount> host_root(NetworkMode network, const std::string& hostname);

// Whether a sandbox over host_root() shows this place as the host has it: what lies in /usr, in /opt but for
// /opt/scad, and in /bin and its like. For an absolute, normal path; pure.
bool is_shown(std::string_view path);

inline constexpr std::string_view init_path = "/run/scad/init"; // scad-init inside
inline constexpr unsigned inner_uid = 1000;                     // the agent's user and group id inside

} // namespace scad::engine
