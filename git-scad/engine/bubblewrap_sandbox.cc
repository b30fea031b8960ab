#include "engine/bubblewrap.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/init_channel.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::engine {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds stop_limit{10'000};

int remaining(Clock::time_point end) {
    auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, stop_limit.count()));
}

// Overlays that are still mounted, of those that an inotify descriptor watches (proc_pid_fdinfo(5)).
bool has_watches(int inotify) {
    base::Fd fd(::open(fmt::format("/proc/self/fdinfo/{}", inotify).c_str(), O_RDONLY | O_CLOEXEC));
    return fd && read_available(fd.get()).find("inotify wd:") != std::string::npos;
}

class BubblewrapSandbox final : public Sandbox {
  public:
    explicit BubblewrapSandbox(BubblewrapParts parts)
        : parts_(std::move(parts)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (!epoll_) throw system_error(errno, "cannot watch the sandbox");
        watch(parts_.channel.fd());
        watch(parts_.init.get());
    }
    ~BubblewrapSandbox() override {
        try {
            end_processes(Clock::now() + stop_limit);
        } catch (const Error&) {
            // Process 1 ends with the channel, at the latest.
        }
    }
    BubblewrapSandbox(const BubblewrapSandbox&) = delete;
    BubblewrapSandbox& operator=(const BubblewrapSandbox&) = delete;

    int events_fd() const override { return epoll_.get(); }

    std::optional<SandboxEvent> next_event() override {
        if (told_end_) return std::nullopt;
        bool ended =
            has_ended(parts_.init.get(), 0); // asked first: what it sent before it died is read below
        while (auto message = parts_.channel.receive(milliseconds{0}))
            if (auto event = event_of(*message)) return event;
        if (ended) return end_event();
        if (parts_.channel.at_end()) unwatch(parts_.channel.fd()); // it is about to end; its pidfd tells
        return std::nullopt;
    }

    void start_job(const JobStart& job) override {
        base::Fd payload = base::make_memory_file("job", encode_job(job));
        if (job.terminal) {
            const int size = job.terminal->rows << 16 | job.terminal->columns;
            parts_.channel.send(encode_request(protocol::RequestKind::start_on_terminal, job.id, size),
                                {payload.get()});
            return;
        }
        base::Fd null;
        auto stream = [&](int fd) {
            if (fd >= 0) return fd;
            if (!null) null = base::open_file("/dev/null", O_RDWR);
            return null.get();
        };
        // When it is gone, `gone` is the next event.
        parts_.channel.send(encode_request(protocol::RequestKind::start, job.id),
                            {payload.get(), stream(job.in), stream(job.out), stream(job.err)});
    }

    void signal_job(std::uint64_t id, int number) override {
        parts_.channel.send(encode_request(protocol::RequestKind::signal, id, number));
    }
    void end_job(std::uint64_t id) override {
        parts_.channel.send(encode_request(protocol::RequestKind::end, id));
    }

    void freeze() override { parts_.channel.send(encode_request(protocol::RequestKind::freeze)); }
    void thaw() override { parts_.channel.send(encode_request(protocol::RequestKind::thaw)); }

    void stop() override {
        auto end = Clock::now() + stop_limit;
        end_processes(end);
        // The last mount name space is given up a moment after its last process; an upper layer is synced
        // then.
        while (parts_.watch && has_watches(parts_.watch.get()) && remaining(end) > 0) {
            pollfd waiting{parts_.watch.get(), POLLIN, 0};
            ::poll(&waiting, 1, std::min(remaining(end), 50));
            read_available(parts_.watch.get());
        }
        parts_.watch.reset();
        parts_.locks.clear();
        parts_.cgroup.reset();
    }

    std::uint64_t memory_use() const override {
        if (has_ended(parts_.init.get(), 0)) return 0;
        std::uint64_t files = 0;
        struct statvfs shm {};
        // A mount point in a file system that the sandbox cannot write: there is no link to follow.
        if (::statvfs(fmt::format("/proc/{}/root/dev/shm", parts_.init_pid).c_str(), &shm) == 0)
            files = static_cast<std::uint64_t>(shm.f_blocks - shm.f_bfree) * shm.f_frsize;
        return tree_memory(parts_.init_pid, files);
    }

    const std::vector<LimitMeans>& limits() const override { return parts_.limits; }

  private:
    void watch(int fd) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
            throw system_error(errno, "cannot watch the sandbox");
    }
    void unwatch(int fd) const { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

    static std::optional<SandboxEvent> event_of(base::Message& message) {
        auto reply = decode_reply(message.body);
        if (!reply) return std::nullopt;
        SandboxEvent event;
        event.id = reply->id;
        event.pid = reply->pid;
        event.wait_status = reply->wait_status;
        switch (reply->kind) {
            case protocol::ReplyKind::started:
                event.kind = SandboxEvent::Kind::started;
                return event;
            case protocol::ReplyKind::failed:
                event.kind = SandboxEvent::Kind::failed;
                event.message = reply->text;
                return event;
            case protocol::ReplyKind::ended:
                event.kind = SandboxEvent::Kind::ended;
                return event;
            case protocol::ReplyKind::connection:
            case protocol::ReplyKind::terminal:
                if (message.fds.empty()) return std::nullopt;
                event.kind = reply->kind == protocol::ReplyKind::terminal ? SandboxEvent::Kind::terminal
                                                                          : SandboxEvent::Kind::connection;
                event.descriptor = std::move(message.fds.front());
                return event;
            case protocol::ReplyKind::frozen:
                event.kind = SandboxEvent::Kind::frozen;
                event.message = reply->text;
                return event;
            case protocol::ReplyKind::ready:
                break;
        }
        return std::nullopt;
    }

    SandboxEvent end_event() {
        told_end_ = true;
        unwatch(parts_.channel.fd());
        unwatch(parts_.init.get());
        SandboxEvent event;
        event.kind = SandboxEvent::Kind::gone;
        std::optional<int> status;
        if (has_ended(parts_.monitor.pidfd(), 1000)) status = parts_.monitor.try_wait();
        std::string said = last_lines(read_available(parts_.complaints.get()), 1);
        if (stopped_)
            event.message = "it was stopped";
        else if (!said.empty())
            event.message = said;
        else if (status && WIFEXITED(*status) &&
                 WEXITSTATUS(*status) > 128) // as bubblewrap tells of process 1
            event.message =
                fmt::format("process 1 {}", base::describe_wait_status(WEXITSTATUS(*status) - 128));
        else if (status)
            event.message = fmt::format("bubblewrap {}", base::describe_wait_status(*status));
        else
            event.message = "process 1 ended";
        return event;
    }

    // SIGKILL for process 1: the kernel ends all of its pid name space, and its pidfd is readable when they
    // are gone.
    void end_processes(Clock::time_point end) {
        if (over_) return;
        stopped_ = stopped_ || !has_ended(parts_.init.get(), 0);
        ::syscall(SYS_pidfd_send_signal, parts_.init.get(), SIGKILL, nullptr, 0);
        bool init_ended = has_ended(parts_.init.get(), remaining(end));
        parts_.monitor.signal(SIGKILL);
        over_ = has_ended(parts_.monitor.pidfd(), remaining(end)) && init_ended;
        if (over_) parts_.monitor.try_wait();
    }

    BubblewrapParts parts_;
    base::Fd epoll_;
    bool told_end_ = false;
    bool stopped_ = false; // by us
    bool over_ = false;    // none of its processes is left
};

} // namespace

bool has_ended(int pidfd, int milliseconds) {
    pollfd waiting{pidfd, POLLIN, 0};
    int result = 0;
    do result = ::poll(&waiting, 1, milliseconds);
    while (result < 0 && errno == EINTR);
    return result > 0;
}

std::string read_available(int fd) {
    std::string text;
    char buffer[4096];
    for (;;) {
        ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > std::size_t{1} << 20) return text;
    }
}

std::string last_lines(const std::string& text, std::size_t count) {
    std::vector<std::string> kept;
    for (const std::string& line : base::lines(text)) {
        std::string_view rest = line;
        for (std::string_view prefix : {"bwrap: ", "scad-init: "})
            if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
        if (!base::trim(rest).empty()) kept.emplace_back(rest);
    }
    if (kept.size() > count) kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(count));
    return base::join(kept, "\n");
}

std::unique_ptr<Sandbox> make_bubblewrap_sandbox(BubblewrapParts parts) {
    return std::make_unique<BubblewrapSandbox>(std::move(parts));
}

} // namespace scad::engine
