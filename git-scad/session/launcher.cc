#include "session/launcher.h"

#include "base/error.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/engine.h"
#include "environment/store.h"
#include "session/capped_log.h"
#include "session/client.h"
#include "session/host_remotes.h"
#include "session/job.h"
#include "session/protocol.h"
#include "session/spare_room.h"
#include "workspace/base_tree.h"
#include "workspace/clone.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <thread>
#include <unistd.h>

namespace scad::session {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds ready_limit = 30s;
constexpr std::chrono::milliseconds stop_limit =
    20s; // jobs' end, the last snapshot (10 s), the sandbox's end
constexpr std::chrono::milliseconds suspended_limit = 1500ms; // for one that was stopped (SIGSTOP) to go on
constexpr std::chrono::milliseconds answer_limit = 10s;       // for one that runs to say that it stops
constexpr std::int64_t queue_patience = 60;                   // seconds between a job's making and its start

std::filesystem::path alive_file(const Session& session) { return session.directory / "alive"; }

bool wait_until_free(const Session& session, std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    for (auto pause = 1ms; base::is_held(alive_file(session));
         pause = std::min<std::chrono::milliseconds>(pause * 2, 20ms)) {
        if (Clock::now() >= end) return false;
        std::this_thread::sleep_for(pause); // nothing tells of a lock that is released
    }
    return true;
}

// What the supervisor says until it closes the pipe; empty: it said nothing within the limit.
std::optional<std::string> read_answer(int pipe) {
    std::string answer;
    const auto end = Clock::now() + ready_limit;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        pollfd waiting{pipe, POLLIN, 0};
        if (left.count() <= 0) return std::nullopt;
        if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
        char buffer[4096];
        const ssize_t count = ::read(pipe, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return answer;
        answer.append(buffer, static_cast<std::size_t>(count));
    }
}

// Jobs that the end of the session cut short. The caller holds the name's lock, and no supervisor runs.
void mark_lost_jobs(const Session& session) {
    for (Job& job : list_jobs(session, true)) {
        if (is_final(job.state)) continue;
        const bool ran = job.state != JobState::queued;
        // Whoever made it may be about to start it.
        if (!ran && base::unix_now() - job.created < queue_patience) continue;
        job.state = JobState::lost;
        job.reason = ran ? "the session ended under it" : "the session ended before it was started";
        job.ended = base::unix_now();
        CappedLog::mend(job.directory_on_host / "output.log");
        write_job(job);
    }
}

// The process that holds the other end of a connection; -1: it cannot be told.
pid_t peer_of(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid())
        return -1;
    return peer.pid;
}

// The process that holds the flock on `path`, as /proc/locks tells (proc_locks(5)); -1: nobody.
pid_t holder_of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return -1;
    const std::string wanted =
        fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
    const base::Fd file = base::open_file("/proc/locks", O_RDONLY);
    for (const std::string& line :
         base::lines(base::read_all(file.get(), std::size_t{16} << 20, "/proc/locks"))) {
        // 1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF
        std::vector<std::string> words;
        for (std::string& word : base::split(line, ' ')) {
            if (!word.empty()) words.push_back(std::move(word));
        }
        if (words.size() < 6 || words[1] != "FLOCK" || words[3] != "WRITE" || words[5] != wanted) continue;
        pid_t pid = -1;
        if (std::from_chars(words[4].data(), words[4].data() + words[4].size(), pid).ec == std::errc{})
            return pid;
    }
    return -1;
}

// Kills the supervisor of a session. A process is first held by its pidfd, and then looked at once more: so a
// number that was given to another process meanwhile does no harm.
void kill_supervisor(const Session& session, const std::optional<Client>& client) {
    const auto find = [&] {
        if (const pid_t holder = holder_of(alive_file(session)); holder > 0) return holder;
        return client ? peer_of(client->fd()) : -1;
    };
    const pid_t pid = find();
    if (pid <= 1 || pid == ::getpid()) return;
    const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process || find() != pid || !base::is_held(alive_file(session))) return;
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

// Whether a process was stopped by a signal and waits for SIGCONT (state T in proc(5)).
bool is_suspended(pid_t pid) {
    const auto stat = base::open_if_exists(fmt::format("/proc/{}/stat", pid), O_RDONLY);
    if (!stat) return false;
    const std::string text = base::read_all(stat->get(), 4096, "the state of the supervisor");
    const auto name_end = text.rfind(") "); // a name may hold anything
    return name_end != std::string::npos && name_end + 2 < text.size() && text[name_end + 2] == 'T';
}

// Asks it to stop and waits until it hangs up; false when it cannot be waited for.
bool ask_to_stop(Client& client) {
    Request request;
    request.kind = Request::Kind::stop;
    const auto begin = Clock::now();
    bool answered = false;
    try {
        client.send(request);
        for (;;) {
            if (client.receive(100ms)) answered = true;
            const auto waited = Clock::now() - begin;
            if (waited >= (answered ? stop_limit : answer_limit)) return false;
            if (waited >= suspended_limit && is_suspended(peer_of(client.fd()))) return false;
        }
    } catch (
        const Error&) { // the connection's end, which is what is waited for, or an answer that makes no sense
        return true;
    }
}

// What its sandbox stands on. Base trees are made again here, an environment is not.
void require_lower_layers(const base::Context& context, const Session& session) {
    if (session.parts.used() && !environment::is_whole(context.paths, session.environment)) {
        throw fatal("the environment {} of the session is gone, or a part of it", session.environment)
            .with_hint("git scad build {}    # makes it again unless the project has changed",
                       session.project);
    }
    for (const SessionRepo& repo : session.repos) {
        if (workspace::is_whole(workspace::base_tree_at(context.paths, repo.tree))) continue;
        const workspace::Origin origin =
            workspace::inspect_origin(repo.name, repo.host, repo.base_commit, context.variables);
        if (workspace::base_tree_key(origin) != repo.tree) {
            throw fatal("the base tree of repo '{}' is gone, and the repo's settings have changed since",
                        repo.name)
                .with_hint("git scad build {}", session.project);
        }
        const auto engine = engine::make_engine(session.engine);
        workspace::ensure_base_tree(context.paths, origin, *engine,
                                    [&](const std::string& line) { context.terminal.progress(line); });
        context.terminal.progress("");
    }
}

} // namespace

void launch_supervisor(const Session& session) {
    const base::Variables variables = base::Variables::from_process();
    base::Pipe pipe = base::make_pipe();
    base::Command command;
    command.argv = {base::sibling_program("scad-supervisor").native(), session.directory.native(), "--ready",
                    std::to_string(pipe.write.get())};
    command.directory = "/";
    command.environment = variables.minimal(); // it outlives the caller, whose secrets are no business of it
    if (const auto home = variables.get("HOME")) command.environment->push_back("HOME=" + *home);
    command.out = base::Stream::null();
    command.err = base::Stream::null();
    command.inherit = {pipe.write.get()};
    command.new_session = true;
    base::Child child = base::start(command);
    pipe.write.reset();
    const std::optional<std::string> answer = read_answer(pipe.read.get());
    if (answer == "ready\n") return;
    if (!answer) {
        child.signal(SIGKILL);
        child.wait();
        throw fatal("the supervisor of session '{}' was not ready within {}", session.name,
                    base::format_duration(std::chrono::duration_cast<std::chrono::seconds>(ready_limit)))
            .with_hint("its log is '{}'", (session.directory / "supervisor.log").native());
    }
    const int status = child.wait();
    if (answer->empty()) {
        throw fatal("the supervisor of session '{}' {} before it was ready", session.name,
                    base::describe_wait_status(status))
            .with_hint("its log is '{}'", (session.directory / "supervisor.log").native());
    }
    const Failure failure = parse_failure(*answer);
    with_context([&] { throw fatal("{}", failure.message).with_hint("{}", failure.hint); },
                 "cannot start session '{}'", session.name);
}

bool ensure_live(const base::Context& context, const Store& store, const Session& session) {
    const base::FileLock lock = store.lock(session.name, [&] {
        context.terminal.note(
            fmt::format("waiting for another command that works on session '{}'", session.name));
    });
    if (base::is_held(alive_file(session))) {
        if (Client::connect(session)) {
            // A start that was killed when the session was live already has left it without.
            for (const SessionRepo& repo : session.repos) {
                if (!has_remote(session, repo)) add_remote(session, repo, context.variables);
            }
            return false;
        }
        // It is on its way out.
        if (!wait_until_free(session, stop_limit)) {
            throw fatal("the supervisor of session '{}' does not answer", session.name)
                .with_hint("git scad session stop {}", session.name);
        }
    }
    return with_context(
        [&] {
            if (!store.exists(session.name)) throw fatal("session '{}' was removed", session.name);
            if (read_status(session.directory).phase == "removing") {
                throw fatal("session '{}' is being removed", session.name)
                    .with_hint("git scad session rm {}", session.name);
            }
            mark_lost_jobs(session);
            for (const SessionRepo& repo : session.repos) make_pins(session, repo, context.variables);
            require_lower_layers(context, session);
            launch_supervisor(session);
            for (const SessionRepo& repo : session.repos) add_remote(session, repo, context.variables);
            return true;
        },
        "cannot resume session '{}'", session.name);
}

void end_session(const Session& session) {
    bool killed = false;
    const bool was_alive = base::is_held(alive_file(session));
    if (was_alive) {
        std::optional<Client> client;
        try {
            client = Client::connect(session);
        } catch (const Error&) { // it does not even accept
        }
        // One that hangs up lets go of the lock; one that has no socket any more is about to.
        const bool answered = client ? ask_to_stop(*client) : true;
        if (!answered || !wait_until_free(session, client ? 5s : stop_limit)) {
            kill_supervisor(session, client);
            killed = true;
            if (!wait_until_free(session, 10s)) {
                throw fatal("the supervisor of session '{}' cannot be ended", session.name)
                    .with_hint("its log is '{}'", (session.directory / "supervisor.log").native());
            }
        }
    }
    Status status = read_status(session.directory);
    if (status.phase == "stopped" || status.phase == "removing") return;
    // It did not end by itself, or not well: what its jobs left is on disk, but in no snapshot.
    use_spare_room(session.directory);
    try {
        mark_lost_jobs(session);
    } catch (const Error&) { // a full disk must not keep it from being stopped, and they read as lost anyway
    }
    status.phase = "stopped";
    status.taken = 0;
    if (killed) status.note = "its supervisor did not answer and was killed";
    with_context([&] { write_status(session.directory, status, true); },
                 "session '{}' has ended, but that cannot be recorded", session.name);
}

void stop_session(const Store& store, const Session& session) {
    const base::FileLock lock = store.lock(session.name, {});
    end_session(session);
}

} // namespace scad::session
