#include "engine/init/channel.h"
#include "engine/init/freezer.h"
#include "engine/init/leader.h"
#include "engine/init/modes.h"
#include "engine/init/settings.h"
#include "engine/init/sweep.h"
#include "engine/init/system.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::init {

namespace {

struct Job {
    std::uint64_t id = 0;
    pid_t leader = 0;  // 0: gone and reaped
    pid_t program = 0; // 0: not started, or reaped
    int report = -1;
    int status = SIGKILL; // of the program, until it is known better
    bool started = false;
    bool failed = false; // told already: no `ended` follows
    bool ending = false;
};

// A new pseudo-terminal of the sandbox's own devpts; false: errno tells why.
bool open_terminal(int rows_and_columns, int& master, int& slave) {
    master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return false;
    int locked = 0;
    winsize size{};
    size.ws_row = static_cast<unsigned short>(rows_and_columns >> 16 & 0x7fff);
    size.ws_col = static_cast<unsigned short>(rows_and_columns & 0xffff);
    if (::ioctl(master, TIOCSPTLCK, &locked) == 0 && ::ioctl(master, TIOCSWINSZ, &size) == 0)
        slave = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0) return true;
    const int error = errno;
    ::close(master);
    master = -1;
    errno = error;
    return false;
}

// Process 1. All is done from one loop that never blocks but in epoll_wait(2).
class ProcessOne {
  public:
    ProcessOne(int channel, const Settings& settings) : channel_(channel), settings_(settings) {}
    [[noreturn]] void run();

  private:
    void watch(int fd, std::uint32_t events);
    void set_up();
    void on_channel(std::uint32_t events);
    void on_signals();
    void on_connections();
    void on_report(int fd);
    bool take_report(Job& job);
    void handle(Channel::Incoming& incoming);
    void start(Channel::Incoming& incoming);
    void tell_failure(std::uint64_t id, const std::string& text);
    void tell_start(Job& job, pid_t pid);
    void begin_ending(Job& job);
    void reap();
    void sweep();
    void go_on_freezing();
    std::vector<pid_t> leaders() const;
    void update_interest();
    [[noreturn]] void end_everything();
    Job* find(std::uint64_t id);

    Channel channel_;
    Settings settings_;
    int epoll_ = -1;
    int signals_ = -1;
    int listener_ = -1;
    std::vector<std::unique_ptr<Job>> jobs_;
    int quiet_passes_ = 0; // of the sweep, that found nothing
    int busy_passes_ = 0;
    Freezer freezer_;
    bool writing_ = false; // the channel is watched for room
    bool accepting_ = true;
};

void ProcessOne::watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("cannot watch a descriptor");
}

void ProcessOne::set_up() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    // Signals come only from here on. None has a handler: what a job sends to process 1 has no effect.
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t heard;
    ::sigemptyset(&heard);
    ::sigaddset(&heard, SIGCHLD);
    ::sigaddset(&heard, SIGTERM);
    signals_ = ::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    if (epoll_ < 0 || signals_ < 0) die("cannot set up signals");
    watch(signals_, EPOLLIN);
    watch(channel_.fd(), EPOLLIN);
    if (settings_.port != 0) {
        listener_ = listen_on_loopback(settings_.port);
        watch(listener_, EPOLLIN);
    }
    settings_.limits = achievable(settings_.limits);
    protocol::Reply ready;
    ready.kind = protocol::ReplyKind::ready;
    ready.pid = ::getpid();
    ready.processes = settings_.limits.processes;
    ready.open_files = settings_.limits.open_files;
    ready.file_size = settings_.limits.file_size;
    channel_.send(ready);
}

Job* ProcessOne::find(std::uint64_t id) {
    for (auto& job : jobs_)
        if (job->id == id) return job.get();
    return nullptr;
}

void ProcessOne::end_everything() {
    ::kill(-1, SIGKILL);
    ::_exit(0); // the kernel ends what is left of the pid name space
}

void ProcessOne::tell_failure(std::uint64_t id, const std::string& text) {
    protocol::Reply reply;
    reply.kind = protocol::ReplyKind::failed;
    reply.id = id;
    text.copy(reply.text, sizeof reply.text - 1);
    channel_.send(reply);
}

void ProcessOne::tell_start(Job& job, pid_t pid) {
    job.started = true;
    protocol::Reply reply;
    reply.kind = protocol::ReplyKind::started;
    reply.id = job.id;
    reply.pid = pid;
    channel_.send(reply);
}

void ProcessOne::start(Channel::Incoming& incoming) {
    std::uint64_t id = incoming.request.id;
    const bool on_terminal = incoming.request.kind == protocol::RequestKind::start_on_terminal;
    int master = -1;
    int report[2];
    if (find(id) != nullptr) {
        tell_failure(id, "a job of this number runs already");
    } else if (on_terminal && !open_terminal(incoming.request.number, master, incoming.descriptors[1])) {
        tell_failure(id, std::string("cannot make a terminal: ") + std::strerror(errno));
    } else if (::pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
        tell_failure(id, std::string("cannot make a pipe: ") + std::strerror(errno));
        if (master >= 0) ::close(master);
    } else {
        pid_t leader = ::fork();
        if (leader == 0) {
            const auto& fds = incoming.descriptors;
            Streams streams{{fds[1], fds[on_terminal ? 1 : 2], fds[on_terminal ? 1 : 3]}, on_terminal};
            run_leader(fds[0], streams, report[1], settings_.limits);
        }
        int error = errno;
        ::close(report[1]);
        if (leader < 0) {
            ::close(report[0]);
            tell_failure(id, std::string("cannot make a process: ") + std::strerror(error));
            if (master >= 0) ::close(master);
        } else {
            if (on_terminal) {
                protocol::Reply reply;
                reply.kind = protocol::ReplyKind::terminal;
                reply.id = id;
                channel_.send(reply, master);
            }
            auto job = std::make_unique<Job>();
            job->id = id;
            job->leader = leader;
            job->report = report[0];
            watch(report[0], EPOLLIN);
            jobs_.push_back(std::move(job));
        }
    }
    incoming.close_descriptors();
}

void ProcessOne::handle(Channel::Incoming& incoming) {
    if (!incoming.valid) {
        if (incoming.request.kind == protocol::RequestKind::start ||
            incoming.request.kind == protocol::RequestKind::start_on_terminal)
            tell_failure(incoming.request.id, "malformed request");
        return;
    }
    Job* job = find(incoming.request.id);
    switch (incoming.request.kind) {
        case protocol::RequestKind::start:
        case protocol::RequestKind::start_on_terminal:
            start(incoming);
            break;
        case protocol::RequestKind::signal:
            // As the leader of its session the program cannot leave its group, and it is reaped by none but
            // us or the leader that we kill: the number is its own.
            if (job != nullptr && job->program > 0 && !job->ending)
                ::kill(-job->program, incoming.request.number);
            break;
        case protocol::RequestKind::end:
            if (job != nullptr) begin_ending(*job);
            break;
        case protocol::RequestKind::freeze:
            freezer_.begin();
            break;
        case protocol::RequestKind::thaw:
            freezer_.thaw();
            break;
        case protocol::RequestKind::stop:
            end_everything();
    }
}

void ProcessOne::on_channel(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) channel_.flush();
    while (auto incoming = channel_.receive()) handle(*incoming);
    if (channel_.at_end()) end_everything(); // whoever held the other end is gone
}

// `ended` follows when nothing of it is left; its program's status may still come from the pipe or from
// waitpid(2).
void ProcessOne::begin_ending(Job& job) {
    if (job.leader > 0) ::kill(job.leader, SIGKILL);
    job.ending = true;
    quiet_passes_ = 0;
}

void ProcessOne::on_report(int fd) {
    for (auto& job : jobs_)
        if (job->report == fd) {
            take_report(*job);
            return;
        }
}

// Reads one report of a leader; false when there is none.
bool ProcessOne::take_report(Job& job) {
    if (job.report < 0) return false;
    Report report;
    ssize_t n = 0;
    do n = ::read(job.report, &report, sizeof report);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return false;
    if (n != static_cast<ssize_t>(sizeof report)) { // the leader is gone
        ::close(job.report);                        // which ends its watch: nobody else has it
        job.report = -1;
        begin_ending(job);
        return false;
    }
    switch (report.kind) {
        case Report::Kind::forked:
            job.program = report.value;
            break;
        case Report::Kind::started:
            tell_start(job, report.value);
            break;
        case Report::Kind::failed:
            job.failed = true;
            tell_failure(job.id, describe(report));
            begin_ending(job);
            break;
        case Report::Kind::ended:
            job.status = report.value;
            begin_ending(job);
            break;
    }
    return true;
}

void ProcessOne::reap() {
    int status = 0;
    for (;;) {
        pid_t pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED);
        if (pid <= 0) return;
        for (auto& job : jobs_) {
            if (job->leader == pid) {
                if (!WIFSTOPPED(status)) job->leader = 0;
                while (take_report(*job)) continue; // so that its program is known when that comes to us
                begin_ending(
                    *job); // a job that stops or kills its leader is ended: nobody would see it end otherwise
            } else if (job->program == pid && !WIFSTOPPED(status)) { // came to us because its leader is gone
                job->program = 0;
                job->status = status;
            }
        }
    }
}

void ProcessOne::on_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        if (info.ssi_signo == SIGTERM && info.ssi_pid == 0)
            end_everything(); // 0: sent from outside the pid name space
}

void ProcessOne::on_connections() {
    while (channel_.queued() < 32) {
        int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        protocol::Reply reply;
        reply.kind = protocol::ReplyKind::connection;
        channel_.send(reply, fd);
    }
}

// One pass over what must die. Jobs that end together end when all of them have: what hangs below process 1
// has no name tag.
void ProcessOne::sweep() {
    std::vector<pid_t> spared;
    bool ending = false;
    for (const auto& job : jobs_) {
        ending = ending || job->ending;
        if (!job->ending && job->leader > 0) spared.push_back(job->leader);
    }
    if (!ending) return;
    std::size_t found = kill_all_but(spared);
    reap();
    if (found > 0) {
        quiet_passes_ = 0;
        ++busy_passes_;
        return;
    }
    if (++quiet_passes_ < 2) return;
    quiet_passes_ = 0;
    busy_passes_ = 0;
    for (auto& job : jobs_) {
        if (!job->ending || job->leader != 0) continue;
        while (take_report(*job)) continue; // what the leader said last
        if (job->report >= 0) ::close(job->report);
        // A program that killed its leader at once has run all the same.
        if (!job->started && !job->failed) tell_start(*job, job->program);
        if (!job->failed) {
            protocol::Reply reply;
            reply.kind = protocol::ReplyKind::ended;
            reply.id = job->id;
            reply.wait_status = job->status;
            channel_.send(reply);
        }
        job.reset();
    }
    jobs_.erase(std::remove(jobs_.begin(), jobs_.end(), nullptr), jobs_.end());
}

std::vector<pid_t> ProcessOne::leaders() const {
    std::vector<pid_t> pids;
    for (const auto& job : jobs_)
        if (job->leader > 0) pids.push_back(job->leader);
    return pids;
}

void ProcessOne::go_on_freezing() {
    if (!freezer_.busy()) return;
    const auto outcome = freezer_.step(leaders());
    if (outcome == Freezer::Outcome::not_yet) return;
    protocol::Reply reply;
    reply.kind = protocol::ReplyKind::frozen;
    if (outcome == Freezer::Outcome::failed)
        std::string_view("its programs do not stand still").copy(reply.text, sizeof reply.text - 1);
    channel_.send(reply);
}

void ProcessOne::update_interest() {
    if (channel_.waiting() != writing_) {
        writing_ = channel_.waiting();
        epoll_event event{};
        event.events = EPOLLIN | (writing_ ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
        event.data.fd = channel_.fd();
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, channel_.fd(), &event);
    }
    bool accepting = channel_.queued() < 32;
    if (listener_ >= 0 && accepting != accepting_) {
        accepting_ = accepting;
        epoll_event event{};
        event.events = accepting ? static_cast<std::uint32_t>(EPOLLIN) : 0U;
        event.data.fd = listener_;
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_, &event);
    }
}

void ProcessOne::run() {
    set_up();
    for (;;) {
        bool ending = std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->ending; });
        // Quick at first, so that what forks and exits all the time is caught; slower for what the kernel
        // does not let die.
        int timeout = !ending ? -1 : busy_passes_ < 2000 ? 0 : 5;
        if (timeout < 0 && freezer_.busy()) timeout = 1;
        std::array<epoll_event, 32> events;
        int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == channel_.fd())
                on_channel(event.events);
            else if (event.data.fd == signals_)
                on_signals();
            else if (event.data.fd == listener_)
                on_connections();
            else
                on_report(event.data.fd);
        }
        reap();
        sweep();
        go_on_freezing();
        update_interest();
    }
}

} // namespace

int run_process_one(const Arguments& words) {
    // Before anything else: until then a job's kin could take the control socket with pidfd_getfd(2), or read
    // memory and environment.
    ::prctl(PR_SET_DUMPABLE, 0);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    errno = 0;
    if (::getpid() != 1) return complain("not process 1", 2);
    auto number = parse_number(words.front());
    auto settings = parse_settings(words);
    if (!number || *number < 3 || *number > 1U << 20 || !settings) return complain("malformed arguments", 2);
    int fd = static_cast<int>(*number);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return complain("no control channel");
    close_all_but({fd});
    for (int i = 0; i < 3; ++i) // a descriptor that comes with a message must not get one of these numbers
        if (::fcntl(i, F_GETFD) < 0) ::open("/dev/null", O_RDWR);
    ::umask(022);
    ProcessOne(fd, *settings).run();
}

} // namespace scad::init
