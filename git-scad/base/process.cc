#include "base/process.h"

#include "base/text.h"

#include <boost/optional.hpp> // before Boost.Process, which uses both without including them
#include <boost/type_traits.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::base {

namespace {

namespace process = boost::process::v2;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

std::vector<const char*> pointers(const std::vector<std::string>& words) {
    std::vector<const char*> result;
    result.reserve(words.size() + 1);
    for (const std::string& word : words) result.push_back(word.c_str());
    result.push_back(nullptr);
    return result;
}

// What a child, or a program that takes this process's place, must not inherit. Ignored signals and the mask
// survive exec. After this all descriptors from 3 on close at exec but for `inherit`. Sets errno when false.
// Runs between fork and exec.
bool prepare_for_exec(const std::vector<int>& inherit, bool new_session) {
    sigset_t none;
    ::sigemptyset(&none);
    ::signal(SIGPIPE, SIG_DFL);
    bool ok = ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && (!new_session || ::setsid() != -1) &&
              ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
    for (int fd : inherit) ok = ok && ::fcntl(fd, F_SETFD, 0) == 0;
    return ok;
}

// The initializer that makes Boost.Process's launcher sound: it leaks descriptors below its own pipe, does
// not reset signals, and after a failed exec would run this process's exit handlers in the child. Must be the
// last initializer.
struct ChildSetup {
    std::vector<const char*> environment; // complete, ends in nullptr; built before the fork
    std::vector<int> inherit;
    bool new_session = false;

    error_code on_setup(process::posix::default_launcher& launcher, const std::filesystem::path&,
                        const char* const*) {
        launcher.env = environment.data();
        launcher.fd_whitelist.insert(launcher.fd_whitelist.end(), inherit.begin(), inherit.end());
        return {};
    }
    error_code on_exec_setup(process::posix::default_launcher&, const std::filesystem::path&,
                             const char* const*) {
        if (prepare_for_exec(inherit, new_session)) return {};
        return {errno, boost::system::system_category()};
    }
    template <class... A> void on_exec_error(A&&...) noexcept { ::_exit(127); }
};

// The three descriptors that become 0, 1 and 2 of the child, and those that were opened to make them.
struct Streams {
    std::array<int, 3> fds{};
    std::vector<Fd> owned;
};

Streams open_streams(const Command& command) {
    Streams streams;
    const std::array<Stream, 3> wanted{command.in, command.out, command.err};
    for (int target = 0; target < 3; ++target) {
        const Stream& stream = wanted[static_cast<std::size_t>(target)];
        int& fd = streams.fds[static_cast<std::size_t>(target)];
        switch (stream.kind) {
            case Stream::Kind::null:
                fd = streams.owned.emplace_back(open_file("/dev/null", target == 0 ? O_RDONLY : O_WRONLY))
                         .get();
                break;
            case Stream::Kind::inherit:
                fd = target;
                break;
            case Stream::Kind::capture:
                throw fatal("cannot start '{}': nobody would read what it writes", join(command.argv, " "));
            case Stream::Kind::descriptor:
                fd = stream.fd;
                break;
        }
        // One that is another's target would be gone when its turn comes.
        if (fd >= 0 && fd < 3 && fd != target) {
            Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
            if (!copy) throw system_error(errno, "cannot duplicate a descriptor");
            fd = streams.owned.emplace_back(std::move(copy)).get();
        }
    }
    return streams;
}

std::filesystem::path executable_of(const Command& command, const std::vector<std::string>& environment) {
    if (command.argv.empty() || command.argv.front().empty())
        throw fatal("cannot start a command without a name");
    auto program = find_program(command.argv.front(), environment);
    if (!program) {
        const std::string& name = command.argv.front();
        if (name.find('/') != std::string::npos) {
            throw fatal("cannot run '{}': {}", name,
                        errno_text(::access(name.c_str(), F_OK) == 0 ? EACCES : ENOENT));
        }
        throw fatal("cannot find the program '{}'", name)
            .with_hint("install it, or add the directory that has it to PATH");
    }
    // A relative one means the caller's directory, not the child's.
    return command.directory ? std::filesystem::absolute(*program) : *program;
}

std::string quoted_argv(const Command& command) {
    std::vector<std::string> words;
    for (const std::string& word : command.argv) {
        words.push_back(shell_quote(word.size() > 200 ? word.substr(0, 200) + "..." : word));
    }
    return join(words, " ");
}

// One captured stream of run().
struct Capture {
    Fd fd; // our end, non-blocking
    std::string* content;
    bool over_limit = false;

    // Takes what is there now; closes at end of file.
    void drain(std::size_t limit) {
        char buffer[65536];
        while (fd) {
            const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
            if (count < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN) fd.reset();
                return;
            }
            if (count == 0) return fd.reset();
            const std::size_t room = limit - content->size();
            content->append(buffer, std::min(static_cast<std::size_t>(count), room));
            if (static_cast<std::size_t>(count) > room) {
                over_limit = true;
                return fd.reset();
            }
        }
    }
};

int milliseconds_until(Clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

// Waits until something can be read or the child has ended; false when `end` has come first (none: no end).
bool wait_for_news(const std::vector<Capture>& captures, int pidfd, std::optional<Clock::time_point> end) {
    std::vector<pollfd> waiting;
    for (const Capture& capture : captures) {
        if (capture.fd) waiting.push_back({capture.fd.get(), POLLIN, 0});
    }
    if (pidfd >= 0) waiting.push_back({pidfd, POLLIN, 0});
    if (waiting.empty()) return false;
    return ::poll(waiting.data(), waiting.size(), end ? milliseconds_until(*end) : -1) != 0;
}

} // namespace

bool Result::ok() const {
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 && !timed_out && !over_limit;
}

int Result::status() const {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Child start(const Command& command) {
    const std::vector<std::string> environment =
        command.environment ? *command.environment : own_environment();
    const std::filesystem::path executable = executable_of(command, environment);
    const Streams streams = open_streams(command);
    std::vector<const char*> argv = pointers(command.argv);

    boost::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
    process::posix::default_launcher launcher; // named: when the exec fails its pid is what is left to reap
    error_code error;
    const auto launch = [&](auto&&... initializers) {
        auto child = launcher(context.get_executor(), error, executable, argv.data(),
                              // A temporary: a named one would keep the child's ends of pipes open.
                              process::process_stdio{streams.fds[0], streams.fds[1], streams.fds[2]},
                              std::forward<decltype(initializers)>(initializers)...,
                              ChildSetup{pointers(environment), command.inherit, command.new_session});
        child.detach();
    };
    if (command.directory) {
        launch(process::process_start_dir(*command.directory));
    } else {
        launch();
    }
    if (error) {
        if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
        if (command.directory && !std::filesystem::is_directory(*command.directory)) {
            throw fatal("cannot run '{}' in '{}': no such directory", command.argv.front(),
                        command.directory->native());
        }
        throw system_error(error.value(), "cannot run '{}'", command.argv.front());
    }
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, launcher.pid, 0))); // always O_CLOEXEC
    if (!pidfd) {
        const int reason = errno;
        ::kill(launcher.pid, SIGKILL); // ours and not yet waited for: the number is still its own
        ::waitpid(launcher.pid, nullptr, 0);
        throw system_error(reason, "cannot watch '{}'", command.argv.front());
    }
    return {launcher.pid, std::move(pidfd)};
}

Result run(const Command& command) {
    Result result;
    Command prepared = command;
    Fd input;
    if (!command.input
             .empty()) { // a file rather than a pipe: nobody has to feed it, and no SIGPIPE comes of it
        input = make_memory_file("input", command.input);
        prepared.in = Stream::descriptor(input.get());
    }
    std::vector<Capture> captures;
    std::vector<Fd> theirs;
    for (auto [stream, content] :
         {std::pair(&prepared.out, &result.out), std::pair(&prepared.err, &result.err)}) {
        if (stream->kind != Stream::Kind::capture) continue;
        Pipe pipe = make_pipe();
        ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
        *stream = Stream::descriptor(pipe.write.get());
        theirs.push_back(std::move(pipe.write));
        captures.push_back({std::move(pipe.read), content});
    }
    Child child = start(prepared);
    theirs.clear();

    std::optional<Clock::time_point> end;
    if (command.timeout.count() > 0) end = Clock::now() + command.timeout;
    for (;;) {
        if (!wait_for_news(captures, child.pidfd(), end) && end && Clock::now() >= *end) {
            result.timed_out = true;
            break;
        }
        for (Capture& capture : captures) {
            capture.drain(command.output_limit);
            result.over_limit = result.over_limit || capture.over_limit;
        }
        if (result.over_limit || child.try_wait()) break;
    }
    if (result.timed_out || result.over_limit) child.signal(SIGKILL);
    result.wait_status = child.wait();
    // All that the child itself wrote is in the pipes now. Something that it left running may hold them open
    // for ever, so the end of file is not waited for long.
    const auto grace =
        Clock::now() + std::chrono::milliseconds(result.timed_out || result.over_limit ? 0 : 200);
    do {
        for (Capture& capture : captures) {
            capture.drain(command.output_limit);
            result.over_limit = result.over_limit || capture.over_limit;
        }
    } while (wait_for_news(captures, -1, grace) && Clock::now() < grace);
    return result;
}

std::string run_ok(const Command& command) {
    Result result = run(command);
    if (!result.ok()) throw command_failed(command, result);
    return std::move(result.out);
}

Error command_failed(const Command& command, const Result& result) {
    std::string what;
    if (result.timed_out) {
        what = fmt::format("did not end within {} s", static_cast<double>(command.timeout.count()) / 1000);
    } else if (result.over_limit) {
        what = "wrote more than " + format_size(command.output_limit);
    } else {
        what = describe_wait_status(result.wait_status);
    }
    Error error = fatal("'{}' {}", quoted_argv(command), what);
    const std::vector<std::string> told = lines(result.err);
    for (std::size_t i = told.size() > 10 ? told.size() - 10 : 0; i < told.size(); ++i)
        error.message += "\n  " + told[i];
    return error;
}

void Child::signal(int number) const {
    if (status_ || !pidfd_) return;
    if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0 && errno != ESRCH) {
        throw system_error(errno, "cannot send signal {} to process {}", number, pid_);
    }
}

int Child::wait() {
    while (!status_) {
        int status = 0;
        if (::waitpid(pid_, &status, 0) == pid_) {
            status_ = status;
        } else if (errno != EINTR) {
            throw system_error(errno, "cannot wait for process {}", pid_);
        }
    }
    return *status_;
}

std::optional<int> Child::try_wait() {
    if (status_) return status_;
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) status_ = status;
    if (ended < 0 && errno != EINTR) throw system_error(errno, "cannot wait for process {}", pid_);
    return status_;
}

void replace_process(const Command& command) {
    const std::vector<std::string> environment =
        command.environment ? *command.environment : own_environment();
    const std::filesystem::path executable = executable_of(command, environment);
    const Streams streams = open_streams(command);
    const std::vector<const char*> argv = pointers(command.argv);
    const std::vector<const char*> variables = pointers(environment);
    if (command.directory && ::chdir(command.directory->c_str()) != 0) {
        throw system_error(errno, "cannot change to '{}'", command.directory->native());
    }
    for (int target = 0; target < 3; ++target) {
        if (::dup2(streams.fds[static_cast<std::size_t>(target)], target) != target) {
            throw system_error(errno, "cannot run '{}'", command.argv.front());
        }
    }
    if (prepare_for_exec(command.inherit, command.new_session)) {
        // execve(2) takes both without const for historical reasons and changes neither.
        ::execve(executable.c_str(), const_cast<char* const*>(argv.data()),
                 const_cast<char* const*>(variables.data()));
    }
    throw system_error(errno, "cannot run '{}'", command.argv.front());
}

std::optional<std::filesystem::path> find_program(const std::string& name,
                                                  const std::vector<std::string>& environment) {
    const auto runnable = [](const std::string& path) {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
               ::access(path.c_str(), X_OK) == 0;
    };
    if (name.empty()) return std::nullopt;
    if (name.find('/') != std::string::npos) {
        return runnable(name) ? std::optional<std::filesystem::path>(name) : std::nullopt;
    }
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (const std::string& entry : environment) {
        if (entry.starts_with("PATH=")) path = std::string_view(entry).substr(5);
    }
    for (const std::string& directory : split(path, ':')) {
        std::string candidate =
            (directory.empty() ? "." : directory) + "/" + name; // an empty part means the directory of now
        if (runnable(candidate)) return candidate;
    }
    return std::nullopt;
}

std::filesystem::path sibling_program(const std::string& name) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) throw fatal("cannot read '/proc/self/exe': {}", error.message());
    const std::filesystem::path beside = self.parent_path() / name;
    const std::filesystem::path installed = self.parent_path().parent_path() / "libexec/scad" / name;
    for (const auto& candidate : {beside, installed}) {
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    throw fatal("cannot find '{}', neither as '{}' nor as '{}'", name, beside.native(), installed.native())
        .with_hint("install scad again: its programs belong together");
}

std::string describe_wait_status(int wait_status) {
    if (!WIFSIGNALED(wait_status)) return fmt::format("exited with status {}", WEXITSTATUS(wait_status));
    const int number = WTERMSIG(wait_status);
    const char* name = ::sigabbrev_np(number);
    return name != nullptr ? fmt::format("was killed by SIG{}", name)
                           : fmt::format("was killed by signal {}", number);
}

} // namespace scad::base
