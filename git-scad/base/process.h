#pragma once

#include "base/error.h"
#include "base/fd.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace scad::base {

// What one of the child's three standard streams is.
struct Stream {
    enum class Kind { null, inherit, capture, descriptor };
    Kind kind = Kind::null;
    int fd = -1; // for Kind::descriptor; borrowed, must stay open until the child is started

    static Stream null() { return {}; }
    static Stream inherit() { return {Kind::inherit, -1}; }
    static Stream capture() { return {Kind::capture, -1}; }
    static Stream descriptor(int fd) { return {Kind::descriptor, fd}; }
};

// All about one child process. Descriptors other than 0-2 and those in `inherit` are closed in it, its signal
// mask is empty and SIGPIPE has its default.
struct Command {
    std::vector<std::string> argv =
        {}; // argv[0]: a path, or a name that is looked up on PATH of `environment`
    std::optional<std::filesystem::path> directory = {};      // none: the caller's
    std::optional<std::vector<std::string>> environment = {}; // complete, "NAME=value"; none: the caller's
    std::string input = {}; // run() only: written to standard input when not empty
    Stream in = Stream::null();
    Stream out = Stream::capture(); // capture is for run() only
    Stream err = Stream::capture();
    std::vector<int> inherit = {};        // borrowed; the child has them at the same number
    bool new_session = false;             // setsid(2)
    std::chrono::milliseconds timeout{0}; // run() only; 0: none. Past it the child gets SIGKILL
    std::size_t output_limit =
        std::size_t{64} << 20; // run() only, bytes of each captured stream; past it the child gets SIGKILL
};

// How a child ended.
struct Result {
    int wait_status = 0; // as waitpid(2) gives it
    std::string out;
    std::string err;
    bool timed_out = false;
    bool over_limit = false; // killed for its output

    bool ok() const;    // exited with 0
    int status() const; // its exit status, 128 + n for signal n (as a shell tells it)
};

// Runs a child to its end. Any exit status is a result; that it could not be started at all (no such program)
// is fatal.
Result run(const Command& command);

// Runs a child that must succeed and returns its standard output. Otherwise fatal: the argv, its status or
// signal by name, the last 10 lines of its stderr.
std::string run_ok(const Command& command);

// The fatal error that run_ok throws, for callers that look at the status themselves.
Error command_failed(const Command& command, const Result& result);

// A running child, held by a pidfd. The destructor neither kills nor waits: a child that must not outlive its
// owner is killed by it.
class Child {
  public:
    Child() = default;
    Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
    pid_t pid() const { return pid_; }
    int pidfd() const { return pidfd_.get(); } // readable (poll) once the child has ended
    void signal(int number) const;             // pidfd_send_signal(2); no error when it has ended
    int wait();                                // blocks; the wait status
    std::optional<int> try_wait();             // empty while it runs

  private:
    pid_t pid_ = -1;
    Fd pidfd_;
    std::optional<int> status_;
};

// Starts a child and returns at once. `in`, `out`, `err` must not be capture.
Child start(const Command& command);

// Replaces this process (execve(2)); `inherit` and the standard streams apply. Fatal when it cannot.
[[noreturn]] void replace_process(const Command& command);

// Where `name` is found on the PATH in `environment` ("NAME=value"): an executable regular file; a name with
// a slash is returned when executable. Empty: nowhere.
std::optional<std::filesystem::path> find_program(const std::string& name,
                                                  const std::vector<std::string>& environment);

// A program of scad's own (scad-supervisor, scad-init): beside the running executable, else in
// ../libexec/scad. Fatal when it is in neither.
std::filesystem::path sibling_program(const std::string& name);

// "exited with status 3", "was killed by SIGKILL".
std::string describe_wait_status(int wait_status);

} // namespace scad::base
