#include "session/supervisor.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/loop.h"
#include "base/paths.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/proxy.h"
#include "environment/store.h"
#include "session/client_programs.h"
#include "session/freezing.h"
#include "session/live_jobs.h"
#include "session/memory_watch.h"
#include "session/peers.h"
#include "session/plan.h"
#include "session/ports.h"
#include "session/protocol.h"
#include "session/snapshots.h"
#include "session/spare_room.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <iterator>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds stop_patience = 1500ms; // for jobs to be gone when the session stops
constexpr std::chrono::milliseconds last_snapshot_limit = 10s;
constexpr int most_failures = 1000; // of handlers, before it is given up
constexpr rlim_t most_files = 8192;

// Where things lie, told from where the session lies: no setting of whoever started this one is needed.
base::Paths paths_around(const std::filesystem::path& session_directory) {
    base::Paths paths;
    const char* home = std::getenv("HOME");
    if (home != nullptr) paths.home = home;
    paths.state = session_directory.parent_path().parent_path();
    return paths;
}

std::shared_ptr<spdlog::logger> open_log(const std::filesystem::path& directory) {
    auto log =
        spdlog::rotating_logger_st("supervisor", (directory / "supervisor.log").native(), 256 * 1024, 1);
    log->flush_on(spdlog::level::info);
    log->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    return log;
}

class Supervisor {
  public:
    Supervisor(const std::filesystem::path& directory, spdlog::logger& log);

    void start(); // until it can be told that it is ready
    int run(base::Fd ready);

  private:
    void start_sandbox();

    void on_request(Peers::Id peer, Request request, std::vector<base::Fd> fds);
    void on_snapshot(std::vector<workspace::RepoState> states, const std::string& note);
    void save_status(bool synced);
    const std::vector<workspace::RepoState>& known_states() const { return status_.repos; }

    void on_refused(const std::string& target, const std::string& reason);
    void on_too_much_memory(std::uint64_t program, const std::string& reason);
    void on_end();
    void on_sandbox_gone(const std::string& how);

    void stop(Peers::Id peer);
    void all_ended();
    void finish_stop();
    void leave(int status);

    std::filesystem::path directory_;
    spdlog::logger& log_;
    base::Loop loop_;
    base::Paths paths_;
    Session session_;
    Status status_;
    std::vector<std::string> packages_; // of the virtual environment, as baked
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<Programs> programs_;
    std::unique_ptr<engine::Proxy> proxy_;
    std::unique_ptr<Snapshots> snapshots_;
    std::unique_ptr<Peers> peers_;
    std::unique_ptr<ClientPrograms> client_programs_;
    std::unique_ptr<LiveJobs> jobs_;
    std::unique_ptr<Freezing> freezing_;
    std::unique_ptr<MemoryWatch> memory_watch_; // none: a cgroup holds the limit, or there is none

    base::Loop::Handle signals_, stop_timer_;
    bool stopping_ = false;
    bool stop_snapshot_ = false;
    bool changed_ = false; // something ended since the last snapshot began
    int exit_status_ = 0;
};

Supervisor::Supervisor(const std::filesystem::path& directory, spdlog::logger& log)
    : directory_(directory), log_(log), paths_(paths_around(directory)), session_(read_session(directory)) {}

void Supervisor::start() {
    keep_spare_room(directory_);
    status_ = read_status(directory_);
    if (auto baked = environment::find(paths_, session_.environment)) packages_ = std::move(baked->packages);
    start_sandbox();
    snapshots_ = std::make_unique<Snapshots>(Snapshots::Host{
        loop_, *programs_, session_, paths_, log_, [this] { changed_ = false; },
        [this](auto states, const std::string& note) { on_snapshot(std::move(states), note); },
        std::bind_front(&Supervisor::known_states, this),
        [this](const std::vector<std::string>& packages) {
            status_.drift = environment::compare_packages(packages_, packages);
        }});
    peers_ = std::make_unique<Peers>(
        loop_, base::listen_at(directory_, "socket"),
        Peers::Handlers{[this](Peers::Id peer, Request request, std::vector<base::Fd> fds) {
                            on_request(peer, std::move(request), std::move(fds));
                        },
                        [this](Peers::Id peer) {
                            freezing_->client_gone(peer);
                            client_programs_->client_gone(peer);
                        }});
    client_programs_ = std::make_unique<ClientPrograms>(
        ClientPrograms::Host{*programs_, *snapshots_, *peers_, session_, [this] { on_end(); }});
    jobs_ = std::make_unique<LiveJobs>(LiveJobs::Host{loop_, *programs_, *snapshots_, *peers_, session_,
                                                      status_, log_, [this] { on_end(); }});
    freezing_ = std::make_unique<Freezing>(
        Freezing::Host{loop_, *programs_, *snapshots_, *peers_, log_,
                       [this](Peers::Id peer, Request request, std::vector<base::Fd> fds) {
                           on_request(peer, std::move(request), std::move(fds));
                       }});
    programs_->on_frozen([this](const std::string& problem) { freezing_->on_frozen(problem); });
    status_.phase = "live";
    status_.note.clear();
    status_.limits = programs_->sandbox().limits();
    write_status(directory_, status_, false);
}

void Supervisor::start_sandbox() {
    engine_ = engine::make_engine(session_.engine);
    auto root = engine::host_root(session_.network, session_.name);
    // Found anew each time: with another driver or after a reboot they are others.
    engine::Devices devices = engine::find_devices(session_.devices);
    std::move(devices.mounts.begin(), devices.mounts.end(), std::back_inserter(root));
    for (auto& variable : port_variables(read_grants(directory_).ports))
        session_.variables.push_back(std::move(variable));
    session_.variables.insert(session_.variables.end(), devices.variables.begin(), devices.variables.end());
    status_.device_variables = std::move(devices.variables);
    for (const auto& warning : devices.warnings) log_.warn("{}", warning);
    status_.devices = std::move(devices.nodes);
    const engine::SandboxSpec spec = session_spec(session_, paths_, std::move(root));
    if (spec.network == engine::NetworkMode::allow) {
        proxy_ = std::make_unique<engine::Proxy>(
            loop_, engine::AllowList::parse(session_.allow),
            [this](const std::string& target, const std::string& reason) { on_refused(target, reason); });
    }
    programs_ = std::make_unique<Programs>(
        loop_, engine_->start(spec),
        [this](base::Fd connection) {
            if (proxy_) proxy_->accept(std::move(connection));
        },
        [this](const std::string& how) { on_sandbox_gone(how); });
    const auto& limits = programs_->sandbox().limits();
    const bool watched = std::any_of(limits.begin(), limits.end(), [](const engine::LimitMeans& limit) {
        return limit.name == "memory" && limit.means.starts_with("watch");
    });
    if (watched && session_.limits.memory) {
        memory_watch_ =
            std::make_unique<MemoryWatch>(loop_, *programs_, *session_.limits.memory,
                                          [this](std::uint64_t program, const std::string& reason) {
                                              on_too_much_memory(program, reason);
                                          });
    }
}

int Supervisor::run(base::Fd ready) {
    signals_ = loop_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int) { stop(0); });
    if (!base::write_all(ready.get(), "ready\n")) {
        // Whoever started it was killed, and the next command may have found no session that is alive: it
        // must not come to life behind that one's back. What there is stays, as `lost`.
        log_.warn("whoever started it has gone");
        programs_->sandbox().stop();
        ::unlink((directory_ / "socket").c_str());
        return 1;
    }
    ready.reset();
    log_.info("session '{}' is live", session_.name);
    jobs_->catch_up();
    // Something came in while it was stopped.
    if (status_.taken == 0 && !status_.repos.empty()) snapshots_->request([] {});
    for (int failures = 0; failures < most_failures; ++failures) {
        try {
            loop_.run();
            return exit_status_;
        } catch (const std::exception& error) { // a handler's: the others go on
            log_.error("{}", error.what());
        }
    }
    log_.critical("too many failures");
    status_.note = "the supervisor gave up after too many failures";
    leave(1);
    return exit_status_;
}

void Supervisor::on_request(Peers::Id peer, Request request, std::vector<base::Fd> fds) {
    using Kind = Request::Kind;
    if (stopping_ && request.kind != Kind::stop) throw fatal("the session is being stopped");
    const bool starts_a_program = request.kind == Kind::start_job || request.kind == Kind::exec ||
                                  request.kind == Kind::service || request.kind == Kind::snapshot ||
                                  request.kind == Kind::settle;
    if (freezing_->active() && starts_a_program)
        return freezing_->defer(peer, std::move(request), std::move(fds));
    switch (request.kind) {
        case Kind::start_job:
            if (proxy_)
                proxy_->set_allowed(engine::AllowList::parse(session_.allow)); // its refusals are told anew
            return jobs_->start(peer, request);
        case Kind::follow:
            return jobs_->follow(peer, request.number);
        case Kind::exec:
        case Kind::service:
            return client_programs_->start(peer, std::move(request), std::move(fds));
        case Kind::signal:
            return client_programs_->signal(peer, request.signal);
        case Kind::cancel:
            return jobs_->cancel(peer, request.number);
        case Kind::snapshot:
            return snapshots_->request([this, peer] { peers_->send(peer, {Reply::Kind::saved, 0, 0, {}}); });
        case Kind::freeze:
            return freezing_->freeze(peer);
        case Kind::thaw:
            return freezing_->thaw(peer);
        case Kind::settle:
            return snapshots_->when_settled([this, peer] { peers_->send(peer, {}); });
        case Kind::stop:
            return stop(peer);
    }
}

void Supervisor::on_snapshot(std::vector<workspace::RepoState> states, const std::string& note) {
    status_.repos = std::move(states);
    status_.taken = base::unix_now();
    status_.note = note;
    save_status(false);
}

void Supervisor::save_status(bool synced) {
    try {
        write_status(directory_, status_, synced);
    } catch (const Error& error) {
        log_.error("{}", error.message);
    }
}

void Supervisor::on_refused(const std::string& target, const std::string& reason) {
    const std::string text = "network: refused " + base::visible(target) + " (" + base::visible(reason) + ")";
    log_.warn("{}", text);
    agent::Event event;
    event.kind = agent::Event::Kind::error;
    event.text = text;
    jobs_->note(event); // which one it was cannot be told
}

void Supervisor::on_too_much_memory(std::uint64_t program, const std::string& reason) {
    log_.warn("{}", reason);
    if (jobs_->end(program, Cause::memory, reason)) return;
    if (!client_programs_->end(program, reason))
        programs_->end(program); // a snapshot, or what writes a home file
}

// Of a job, or of a program of a client.
void Supervisor::on_end() {
    changed_ = true;
    loop_.post([this] {
        if (stopping_ && !programs_->gone()) all_ended();
    });
}

// The jobs were told before; what they left is on disk, and a resume goes on from there.
void Supervisor::on_sandbox_gone(const std::string& how) {
    log_.error("the sandbox ended: {}", how);
    status_.note = base::one_line("the sandbox ended: " + how, 300);
    if (stopping_) status_.taken = 0; // what is not in a snapshot is not known to be in one
    loop_.post([this] { leave(stopping_ ? 0 : 1); });
}

void Supervisor::stop(Peers::Id peer) {
    if (peer != 0) peers_->send(peer, {}); // that it was heard; the end of the connection tells the rest
    if (std::exchange(stopping_, true)) return;
    log_.info("stopping");
    peers_->stop_listening();
    freezing_->end("the session is being stopped");
    snapshots_->hold(last_snapshot_limit);
    jobs_->hold();
    jobs_->end_all(Cause::stopped, "session stopped");
    client_programs_->end_all();
    // What cannot be ended in this time ends with the sandbox.
    stop_timer_ = loop_.after(stop_patience, [this] {
        if (!stop_snapshot_) log_.warn("not all programs ended in time");
        stop_snapshot_ = true;
        finish_stop();
    });
    loop_.post([this] { all_ended(); });
}

void Supervisor::all_ended() {
    if (stop_snapshot_ || !jobs_->empty() || !client_programs_->empty()) return;
    stop_snapshot_ = true;
    stop_timer_.reset();
    jobs_->settle_all();
    const bool needed = changed_ || !snapshots_->settled() || status_.taken == 0;
    snapshots_->release();
    if (!needed) return finish_stop();
    snapshots_->request([this] { loop_.post([this] { finish_stop(); }); });
}

void Supervisor::finish_stop() {
    if (changed_) status_.taken = 0; // no snapshot holds it all
    programs_->sandbox().stop();
    leave(0);
}

void Supervisor::leave(int status) {
    use_spare_room(directory_);
    if (stopping_)
        jobs_->close(JobState::cancelled, "session stopped");
    else
        jobs_->close(JobState::lost, status_.note);
    if (stopping_) status_.phase = "stopped";
    save_status(true);
    ::unlink((directory_ / "socket").c_str());
    peers_->flush(500ms);
    log_.info("session '{}' has ended", session_.name);
    exit_status_ = status;
    loop_.stop();
}

// Own files are private, many descriptors are needed, orphans of the sandbox come here, no terminal is kept,
// and nothing of its memory is.
void prepare_process() {
    ::umask(077);
    ::signal(SIGPIPE, SIG_IGN);
    ::setsid(); // fails when whoever started it did that
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none); // secrets are in its memory
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, most_files));
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    const base::Fd null = base::open_file("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null.get(), fd);
}

} // namespace

int supervise(const std::filesystem::path& directory, base::Fd ready) {
    std::optional<base::FileLock> alive;
    std::shared_ptr<spdlog::logger> log;
    std::unique_ptr<Supervisor> supervisor;
    const auto fail = [&](const std::string& message, const std::string& hint) {
        if (log) log->error("{}", message);
        base::write_all(ready.get(), failure_text({message, hint}));
        return 1;
    };
    try {
        alive = base::FileLock::try_acquire(directory / "alive");
        if (!alive)
            return fail("another supervisor runs the session in '" + directory.native() + "' already", "");
        prepare_process();
        log = open_log(directory);
        supervisor = std::make_unique<Supervisor>(directory, *log);
        supervisor->start();
    } catch (const Error& error) {
        std::string message = error.message;
        for (const std::string& line : error.context) message += "\n" + line;
        return fail(message, error.hint);
    } catch (const std::exception& error) {
        return fail(error.what(), "");
    }
    return supervisor->run(std::move(ready));
}

} // namespace scad::session
