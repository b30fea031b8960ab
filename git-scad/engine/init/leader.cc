#include "engine/init/leader.h"

#include "engine/init/protocol.h"
#include "engine/init/renames.h"
#include "engine/init/system.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::init {

namespace protocol = engine::protocol;

namespace {

[[noreturn]] void fail(int pipe, Report::Step step, int error) {
    Report report{Report::Kind::failed, step, error};
    write_whole(pipe, &report, sizeof report);
    ::_exit(127);
}

// A limit that is higher than the hard one cannot be set: what is left is then the stricter.
std::uint64_t capped(int resource, std::uint64_t wanted) {
    rlimit limit{};
    if (wanted == 0 || ::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return wanted;
    return limit.rlim_max == RLIM_INFINITY ? wanted : std::min<std::uint64_t>(wanted, limit.rlim_max);
}

bool set_limit(int resource, std::uint64_t wanted) {
    if (wanted == 0) return true;
    std::uint64_t value = capped(resource, wanted);
    rlimit limit{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// A signal that was ignored or blocked by whoever started process 1 must not reach the program so.
void reset_signals() {
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// execve(2) with a look at the program's own PATH, as execvp(3) does it with the caller's; but a file that is
// no program is an error, not a shell script.
int execute(const protocol::JobView& job) {
    std::string name = job.arguments.front();
    auto* arguments = const_cast<char* const*>(job.arguments.data());
    auto* variables = const_cast<char* const*>(job.variables.data());
    if (name.empty()) return ENOENT;
    if (name.find('/') != std::string::npos) {
        ::execve(name.c_str(), arguments, variables);
        return errno;
    }
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (const char* variable : job.variables)
        if (variable != nullptr && std::strncmp(variable, "PATH=", 5) == 0) path = variable + 5;
    int error = ENOENT;
    for (;;) {
        std::size_t colon = path.find(':');
        std::string candidate(path.substr(0, colon));
        candidate += candidate.empty() ? "./" : "/";
        candidate += name;
        ::execve(candidate.c_str(), arguments, variables);
        if (errno == EACCES)
            error = EACCES; // told unless a later directory has it
        else if (errno != ENOENT && errno != ENOTDIR)
            return errno;
        if (colon == std::string_view::npos) return error;
        path.remove_prefix(colon + 1);
    }
}

[[noreturn]] void run_program(int payload, const Streams& streams, int failure, const JobLimits& limits) {
    ::setsid();
    constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat status {};
    int sealed = ::fcntl(payload, F_GET_SEALS);
    if (sealed < 0 || (sealed & seals) != seals || ::fstat(payload, &status) != 0 || status.st_size <= 0 ||
        static_cast<std::size_t>(status.st_size) > protocol::payload_limit)
        fail(failure, Report::Step::payload, EINVAL);
    auto size = static_cast<std::size_t>(status.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, payload, 0);
    if (data == MAP_FAILED) fail(failure, Report::Step::payload, errno);
    protocol::JobView job;
    if (!protocol::parse_job({static_cast<const char*>(data), size}, job))
        fail(failure, Report::Step::payload, EINVAL);

    for (int i = 0; i < 3; ++i)
        if (::dup2(streams.fds[i], i) < 0) fail(failure, Report::Step::streams, errno);
    if (streams.terminal && ::ioctl(0, TIOCSCTTY, 0) != 0) fail(failure, Report::Step::streams, errno);
    if (!set_limit(RLIMIT_NPROC, limits.processes) || !set_limit(RLIMIT_NOFILE, limits.open_files) ||
        !set_limit(RLIMIT_FSIZE, limits.file_size))
        fail(failure, Report::Step::limits, errno);
    if (::chdir(job.directory) != 0) fail(failure, Report::Step::directory, errno);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    reset_signals();
    fail(failure, Report::Step::program, execute(job));
}

} // namespace

std::string describe(const Report& report) {
    std::string text = std::strerror(report.value);
    switch (report.step) {
        case Report::Step::fork:
            return "cannot make a process: " + text;
        case Report::Step::payload:
            return "malformed request: " + text;
        case Report::Step::streams:
            return "cannot set up its streams: " + text;
        case Report::Step::limits:
            return "cannot set its limits: " + text;
        case Report::Step::directory:
            return "cannot enter its directory: " + text;
        case Report::Step::program:
            break;
    }
    return text;
}

JobLimits achievable(const JobLimits& wanted) {
    return {capped(RLIMIT_NPROC, wanted.processes), capped(RLIMIT_NOFILE, wanted.open_files),
            capped(RLIMIT_FSIZE, wanted.file_size)};
}

void run_leader(int payload, const Streams& streams, int report, const JobLimits& limits) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_DUMPABLE,
            0); // inherited; said again because the control socket's copy and the report pipe depend on it
    int failure[2];
    if (::pipe2(failure, O_CLOEXEC) != 0) fail(report, Report::Step::fork, errno);
    int renames = ask_about_renames();
    pid_t program = ::fork();
    if (program < 0) fail(report, Report::Step::fork, errno);
    if (program == 0) run_program(payload, streams, failure[1], limits);

    Report forked{Report::Kind::forked, Report::Step::program,
                  program}; // before the program can have killed its leader
    write_whole(report, &forked, sizeof forked);
    // Its streams too: their readers wait for end of file. All signals stay blocked, as in process 1.
    close_all_but({report, failure[0], renames});
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    answer_renames(renames);
    Report failed;
    ssize_t n = 0;
    do n = ::read(failure[0], &failed, sizeof failed);
    while (n < 0 && errno == EINTR);
    ::close(failure[0]);
    if (n == static_cast<ssize_t>(sizeof failed)) {
        write_whole(report, &failed, sizeof failed);
        ::_exit(0);
    }
    Report started{Report::Kind::started, Report::Step::program, program};
    write_whole(report, &started, sizeof started);

    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0) {
            if (errno == EINTR) continue;
            ::_exit(0);
        }
        if (info.si_pid != program) {
            ::waitpid(info.si_pid, nullptr, 0);
            continue;
        }
        // Not reaped: while it is a zombie its number is not given to another process, and process 1 may go
        // on signalling its group.
        int status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                                : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
        Report ended{Report::Kind::ended, Report::Step::program, status};
        write_whole(report, &ended, sizeof ended);
        for (;;) ::pause();
    }
}

} // namespace scad::init
