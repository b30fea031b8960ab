#include "engine/bubblewrap.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/bubblewrap_argv.h"
#include "engine/init_channel.h"
#include "engine/seccomp_filter.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace scad::engine {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr milliseconds start_limit{
    30'000}; // until bubblewrap has told of process 1: an upper layer may have to become free
constexpr milliseconds ready_limit{10'000}; // until process 1 answers
constexpr milliseconds lock_limit{5'000};   // for a former sandbox to let go of an upper layer
const std::vector<std::string> search_path = {
    "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"};

void refuse_root() {
    if (::geteuid() == 0)
        throw fatal("sessions cannot be run as root")
            .with_hint(
                "run it as an ordinary user: without a capability root's id still opens files of the host");
}

fs::path find_bwrap() {
    if (auto path = base::find_program("bwrap", search_path)) return *path;
    throw fatal("cannot find 'bwrap' (bubblewrap), which sandboxes are made with")
        .with_hint("sudo apt install bubblewrap");
}

// "bubblewrap 0.8.0"
std::string version_of(const fs::path& bwrap) {
    base::Command command;
    command.argv = {bwrap.string(), "--version"};
    command.environment = search_path;
    return std::string(base::trim(base::run_ok(command)));
}

bool is_new_enough(const std::string& version) {
    int major = 0;
    int minor = 0;
    if (std::sscanf(version.c_str(), "bubblewrap %d.%d", &major, &minor) != 2)
        return true; // told differently, so not an old one
    return major > 0 || minor >= 8;
}

bool is_there(const fs::path& path) { return ::access(path.c_str(), F_OK) == 0; }

// Without optional mounts whose source is missing.
SandboxSpec present_part(SandboxSpec spec) {
    std::erase_if(spec.mounts, [](const Mount& mount) {
        if (!mount.optional) return false;
        if (const auto* bind = std::get_if<Bind>(&mount.what)) return !is_there(bind->source);
        if (const auto* overlay = std::get_if<Overlay>(&mount.what))
            return !std::all_of(overlay->lowers.begin(), overlay->lowers.end(), is_there);
        return false;
    });
    return spec;
}

std::vector<base::FileLock> lock_working_copies(const SandboxSpec& spec) {
    std::vector<fs::path> paths;
    for (const Mount& mount : spec.mounts) {
        if (const auto* overlay = std::get_if<Overlay>(&mount.what); overlay != nullptr && overlay->upper)
            paths.push_back(overlay->upper->parent_path() / "lock");
        if (const auto* bind = std::get_if<Bind>(&mount.what); bind != nullptr && bind->git)
            paths.push_back(bind->source.parent_path() / "lock");
    }
    std::sort(paths.begin(), paths.end());
    std::vector<base::FileLock> locks;
    auto end = Clock::now() + lock_limit;
    for (const fs::path& path : paths) {
        auto lock = base::FileLock::try_acquire(path);
        while (!lock && Clock::now() < end) {
            std::this_thread::sleep_for(milliseconds{5});
            lock = base::FileLock::try_acquire(path);
        }
        if (!lock)
            throw fatal("the workspace '{}' is in use by another sandbox", path.parent_path().string());
        locks.push_back(std::move(*lock));
    }
    return locks;
}

base::Fd compiled_filter() {
    // Always the same program: compiled once in a process, copied for each sandbox, because bubblewrap's
    // reading moves the offset.
    static const std::string program = [] {
        base::Fd file = compile_filter(sandbox_rules());
        return base::read_all(file.get(), std::size_t{1} << 20, "the system call filter");
    }();
    return base::make_memory_file("seccomp", program);
}

std::string nul_separated(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text.append(word).push_back('\0');
    return text;
}

// What starting holds until the sandbox owns it.
struct Launching {
    BubblewrapParts parts;
    base::Fd status;        // read end
    std::string complaints; // read so far

    Error failure(const SandboxSpec& spec, const fs::path& bwrap, std::string_view what) {
        // All that holds the other end of the pipe is about to be gone.
        parts.monitor.signal(SIGKILL);
        parts.monitor.wait();
        complaints += read_available(parts.complaints.get());
        std::string said = last_lines(complaints, 10);
        std::string version = version_of(bwrap);
        if (!is_new_enough(version))
            return fatal("{} is too old: sandboxes need version 0.8.0 or newer", version)
                .with_hint("install bubblewrap 0.8.0 or newer");
        Error error =
            fatal("cannot start the sandbox '{}': {}", spec.name, said.empty() ? std::string(what) : said);
        if (said.find("user name space") != std::string::npos ||
            said.find("namespace") != std::string::npos || said.find("uid map") != std::string::npos ||
            said.find("uid_map") != std::string::npos)
            return std::move(error).with_hint("`git scad doctor` tells what this host lacks");
        return error;
    }
};

// The host's pid of process 1: the first line that bubblewrap writes, which comes in pieces. Empty: it ended
// before.
std::optional<pid_t> read_child_pid(int status, int monitor) {
    std::string line;
    auto end = Clock::now() + start_limit;
    while (line.find('\n') == std::string::npos) {
        auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
        if (left <= 0) return std::nullopt;
        pollfd waiting[] = {{status, POLLIN, 0}, {monitor, POLLIN, 0}};
        if (::poll(waiting, 2, static_cast<int>(left)) < 0 && errno != EINTR) return std::nullopt;
        if (waiting[0].revents != 0) {
            char buffer[256];
            ssize_t n = ::read(status, buffer, sizeof buffer);
            if (n <= 0) return std::nullopt;
            line.append(buffer, static_cast<std::size_t>(n));
        } else if (waiting[1].revents != 0) {
            return std::nullopt;
        }
    }
    auto json = nlohmann::json::parse(line.substr(0, line.find('\n')), nullptr, false);
    if (!json.is_object() || !json.contains("child-pid") || !json["child-pid"].is_number_integer())
        return std::nullopt;
    return json["child-pid"].get<pid_t>();
}

// What the limits are now: process 1 has told what it could set, the cgroup is asked.
std::vector<LimitMeans> read_back(std::vector<LimitMeans> planned, const protocol::Reply& ready,
                                  const Cgroup* cgroup, pid_t init) {
    std::vector<LimitMeans> held;
    if (cgroup != nullptr) held = cgroup->read_back();
    for (LimitMeans& limit : planned) {
        if (limit.name == "pids" && ready.processes != 0) limit.value = std::to_string(ready.processes);
        if (limit.name == "open_files" && ready.open_files != 0)
            limit.value = std::to_string(ready.open_files);
        if (limit.name == "file_size" && ready.file_size != 0)
            limit.value = base::format_size(ready.file_size);
        if (limit.name == "cpus" && limit.means != "cgroup") {
            cpu_set_t processors;
            if (::sched_getaffinity(init, sizeof processors, &processors) == 0)
                limit.value = std::to_string(CPU_COUNT(&processors));
        }
        for (const LimitMeans& one : held)
            if (one.name == limit.name && limit.means.find("cgroup") != std::string::npos)
                limit.value = one.value;
    }
    return planned;
}

class Bubblewrap final : public Engine {
  public:
    std::string_view name() const override { return "bubblewrap"; }
    Capabilities capabilities() const override;
    std::unique_ptr<Sandbox> start(const SandboxSpec& spec) const override;
};

std::unique_ptr<Sandbox> Bubblewrap::start(const SandboxSpec& wanted) const {
    refuse_root();
    SandboxSpec spec = present_part(wanted);
    fs::path bwrap = find_bwrap();
    auto access = find_cgroup();
    auto means = plan_limits(spec.limits, access);
    bool in_cgroup = access && std::any_of(means.begin(), means.end(), [](const auto& limit) {
                         return limit.means.find("cgroup") != std::string::npos;
                     });
    Launching launching;
    BubblewrapParts& parts = launching.parts;
    parts.locks = lock_working_copies(spec);

    LaunchFacts facts;
    facts.bwrap = bwrap;
    facts.init = base::sibling_program("scad-init");
    std::vector<base::Fd> lent; // open here until the child has them
    std::vector<int> inherit;
    auto lend = [&](base::Fd fd) {
        inherit.push_back(fd.get());
        lent.push_back(std::move(fd));
        return inherit.back();
    };
    for (const Mount& mount : spec.mounts)
        if (const auto* file = std::get_if<File>(&mount.what))
            facts.file_fds.push_back(lend(base::make_memory_file("file", file->content)));
    auto channel = base::make_socket_pair();
    parts.channel = std::move(channel.ours);
    facts.channel_fd = lend(base::Fd(::fcntl(channel.theirs.fd(), F_DUPFD_CLOEXEC, 3)));
    channel.theirs.close();
    base::Pipe status = base::make_pipe();
    facts.status_fd = lend(std::move(status.write));
    launching.status = std::move(status.read);
    // bubblewrap gets a reader of its own: should this process be killed now, SIGPIPE must not end it before
    // it has told its child to go on, which would wait for ever.
    inherit.push_back(launching.status.get());
    facts.filter_fd = lend(compiled_filter());
    base::Fd go;
    if (in_cgroup) {
        base::Pipe wait = base::make_pipe();
        facts.wait_fd = lend(std::move(wait.read));
        go = std::move(wait.write);
    }
    if (!parts.locks.empty()) {
        parts.watch = base::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); // none left: done without
        if (parts.watch) inherit.push_back(facts.watch_fd = parts.watch.get());
    }
    ProcMasks masks = proc_masks();
    std::copy_if(masks.files.begin(), masks.files.end(), std::back_inserter(facts.masked_files), is_there);
    std::copy_if(masks.directories.begin(), masks.directories.end(),
                 std::back_inserter(facts.masked_directories), is_there);
    // The plan names its number, its content comes from the plan.
    base::Fd arguments(::memfd_create("arguments", MFD_CLOEXEC));
    if (!arguments) throw system_error(errno, "cannot make a memory file");
    facts.arguments_fd = arguments.get();
    Launch launch = plan_launch(spec, facts);
    if (!base::write_all(arguments.get(), nul_separated(launch.arguments)) ||
        ::lseek(arguments.get(), 0, SEEK_SET) != 0)
        throw system_error(errno, "cannot write the sandbox's arguments");
    lend(std::move(arguments));

    base::Pipe complaints = base::make_pipe();
    ::fcntl(complaints.read.get(), F_SETFL, O_NONBLOCK);
    parts.complaints = std::move(complaints.read);
    base::Command command;
    int plan = lend(base::make_memory_file("plan", stage::encode(launch.stage)));
    command.argv = {facts.init.string(), "stage", std::to_string(plan)};
    command.directory = "/";
    command.environment = std::vector<std::string>{};
    command.out = base::Stream::null();
    command.err = base::Stream::descriptor(complaints.write.get());
    command.inherit = inherit;
    parts.monitor = base::start(command);
    lent.clear();
    complaints.write.reset();

    try {
        if (in_cgroup) {
            parts.cgroup =
                Cgroup::make(*access, fmt::format("scad-{}-{}", spec.name, base::random_hex(4)), spec.limits);
            parts.cgroup->add(parts.monitor.pid());
            go.reset();
        }
        auto pid = read_child_pid(launching.status.get(), parts.monitor.pidfd());
        if (!pid) throw launching.failure(spec, bwrap, "bubblewrap did not get ready");
        parts.init_pid = *pid;
        parts.init = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
        if (!parts.init) throw launching.failure(spec, bwrap, "process 1 ended at once");
        bool by_affinity = std::any_of(means.begin(), means.end(), [](const auto& limit) {
            return limit.name == "cpus" && limit.means != "cgroup";
        });
        if (by_affinity && spec.limits.cpus)
            set_affinity(*pid, *spec.limits.cpus, static_cast<unsigned>(*pid));
        auto first = parts.channel.receive(ready_limit);
        auto ready = first ? decode_reply(first->body) : std::nullopt;
        if (!ready || ready->kind != protocol::ReplyKind::ready)
            throw launching.failure(spec, bwrap, "process 1 did not answer");
        parts.limits = read_back(std::move(means), *ready, parts.cgroup.get(), *pid);
    } catch (...) {
        parts.monitor.signal(SIGKILL); // process 1 has the death of its parent as its own
        parts.monitor.wait();
        throw;
    }
    return make_bubblewrap_sandbox(std::move(parts));
}

// A sandbox over nothing but the host's programs, with an overlay in a directory that is made for it.
SandboxSpec trial(const std::optional<fs::path>& directory) {
    SandboxSpec spec;
    spec.name = "trial";
    spec.mounts = host_root(NetworkMode::none, spec.name);
    if (directory)
        spec.mounts.push_back(
            {"/work", Overlay{{*directory / "lower"}, *directory / "upper", *directory / "work", {}}});
    return spec;
}

Capabilities Bubblewrap::capabilities() const {
    Capabilities result;
    result.cgroup = find_cgroup().has_value();
    try {
        refuse_root();
        result.version = version_of(find_bwrap());
        if (!is_new_enough(result.version)) {
            result.lacks.push_back(fmt::format("{} is too old: install 0.8.0 or newer", result.version));
            return result;
        }
        start(trial({}))->stop();
        result.user_namespaces = true;
    } catch (const Error& error) {
        result.lacks.push_back(error.hint.empty() ? error.message : error.message + ": " + error.hint);
        return result;
    }
    std::string pattern = is_there("/var/tmp") ? "/var/tmp/scad-trial-XXXXXX" : "/tmp/scad-trial-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        result.lacks.push_back(
            fmt::format("cannot make a directory '{}': {}", pattern, base::errno_text(errno)));
        return result;
    }
    try {
        for (const char* part : {"lower", "upper", "work"}) base::make_directories(fs::path(pattern) / part);
        start(trial(pattern))->stop();
        result.overlay = true;
    } catch (const Error& error) {
        result.lacks.push_back(error.message);
    }
    base::remove_tree(pattern);
    return result;
}

} // namespace

std::unique_ptr<Engine> make_bubblewrap() { return std::make_unique<Bubblewrap>(); }

} // namespace scad::engine
