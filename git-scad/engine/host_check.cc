#include "engine/host_check.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/limits.h"
#include "engine/runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <functional>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t least_space = std::uint64_t{1} << 30;

// ---- Things that are tried in a child, since they change the process that does them.

// Where in a try it failed, and why: errno is the child's only word.
struct Tried {
    int step = 0; // 0: all done
    int error = 0;
    bool ok() const { return step == 0; }
};

// Runs `attempt` in a child and hands back what it reports. It must only make system calls: this process may
// have threads.
Tried try_in_child(const std::function<Tried()>& attempt) {
    auto pipe = base::make_pipe();
    pid_t pid = ::fork();
    if (pid < 0) return {1, errno};
    if (pid == 0) {
        Tried tried = attempt();
        [[maybe_unused]] auto put = ::write(pipe.write.get(), &tried, sizeof tried);
        ::_exit(0);
    }
    pipe.write.reset();
    Tried tried{1, ECHILD};
    ssize_t got = 0;
    do {
        got = ::read(pipe.read.get(), &tried, sizeof tried);
    } while (got < 0 && errno == EINTR);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (got != static_cast<ssize_t>(sizeof tried)) return {1, ECHILD};
    return tried;
}

bool write_small(const char* path, const char* text) {
    int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    auto size = static_cast<ssize_t>(std::char_traits<char>::length(text));
    bool ok = ::write(fd, text, static_cast<std::size_t>(size)) == size;
    int error = errno;
    ::close(fd);
    errno = error;
    return ok;
}

// A user and a mount namespace with the caller as root of it, and a tmpfs on `place`: what AppArmor refuses
// is not the namespace but what comes after.
Tried enter_namespaces(const std::string& uid_map, const std::string& gid_map, const std::string& place) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return {1, errno};
    if (!write_small("/proc/self/setgroups", "deny")) return {2, errno};
    if (!write_small("/proc/self/uid_map", uid_map.c_str())) return {2, errno};
    if (!write_small("/proc/self/gid_map", gid_map.c_str())) return {2, errno};
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return {3, errno};
    if (::mount("tmpfs", place.c_str(), "tmpfs", 0, "size=1m") != 0) return {3, errno};
    return {};
}

struct Maps {
    std::string uid = fmt::format("0 {} 1", ::geteuid());
    std::string gid = fmt::format("0 {} 1", ::getegid());
};

std::string sysctl(const char* name) {
    try {
        return std::string(base::trim(base::read_if_exists(fs::path("/proc/sys") / name).value_or("")));
    } catch (const Error&) {
        return {};
    }
}

// ---- The checks, each on its own.

Check check_user() {
    Check check{"ordinary user", ::geteuid() != 0, true, fmt::format("uid {}", ::geteuid()), {}};
    if (!check.ok) {
        check.detail = "this is root: a session's process would open the host's /proc/sys as root";
        check.remedy = "su - <an ordinary user>";
    }
    return check;
}

Check check_namespaces() {
    Check check{"user namespaces", false, true, {}, {}};
    Maps maps;
    auto tried = try_in_child([&] { return enter_namespaces(maps.uid, maps.gid, "/tmp"); });
    check.ok = tried.ok();
    if (check.ok) {
        check.detail = "made, with a mount inside";
    } else if (sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1") {
        check.detail = "AppArmor refuses them to programs without a profile";
        check.remedy = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
    } else if (sysctl("kernel/unprivileged_userns_clone") == "0") {
        check.detail = "switched off for ordinary users (kernel.unprivileged_userns_clone)";
        check.remedy = "sudo sysctl -w kernel.unprivileged_userns_clone=1";
    } else if (sysctl("user/max_user_namespaces") == "0") {
        check.detail = "none are allowed (user.max_user_namespaces)";
        check.remedy = "sudo sysctl -w user.max_user_namespaces=15000";
    } else {
        constexpr std::array<const char*, 4> steps = {"", "unshare", "writing the id maps", "a mount inside"};
        check.detail = fmt::format("{}: {}", steps.at(static_cast<std::size_t>(tried.step)),
                                   base::errno_text(tried.error));
    }
    return check;
}

// A directory of the check's own below the state directory; removed at the end.
struct Scratch {
    explicit Scratch(const fs::path& state) {
        base::make_directories(state);
        path = state / (".check-" + base::random_hex(6));
        base::make_directories(path);
    }
    ~Scratch() {
        try {
            base::remove_tree(path);
        } catch (const Error&) {
        }
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    fs::path path;
};

// Mounts as sessions do, edits a file of the lower layer through it, and looks for it in the upper one.
Tried try_overlay(const Maps& maps, const fs::path& scratch) {
    auto lower = (scratch / "lower").string();
    auto upper = (scratch / "upper").string();
    auto merged = (scratch / "merged").string();
    // Numbers that no descriptor of this process has: the layers are opened inside the new namespaces.
    constexpr int first = 200;
    auto options = fmt::format(
        "lowerdir=/proc/self/fd/{},upperdir=/proc/self/fd/{},workdir=/proc/self/fd/{},"
        "userxattr,index=on",
        first, first + 1, first + 2);
    auto work = (scratch / "work").string();
    auto file = merged + "/file";
    auto copied = upper + "/file";
    auto tmp = (scratch / "tmp").string();
    return try_in_child([&]() -> Tried {
        auto tried = enter_namespaces(maps.uid, maps.gid, tmp);
        if (!tried.ok()) return {1, tried.error};
        const std::array<const char*, 3> layers = {lower.c_str(), upper.c_str(), work.c_str()};
        for (std::size_t i = 0; i < layers.size(); ++i) {
            int fd = ::open(layers.at(i), O_PATH | O_DIRECTORY | O_CLOEXEC);
            if (fd < 0 || ::dup2(fd, first + static_cast<int>(i)) < 0) return {2, errno};
        }
        if (::mount("overlay", merged.c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
            return {2, errno};
        if (!write_small(file.c_str(), "new")) return {3, errno};
        struct stat found {};
        if (::stat(copied.c_str(), &found) != 0) return {3, errno};
        return {};
    });
}

Check check_overlay(const fs::path& state) {
    Check check{"overlay file systems", false, true, {}, {}};
    Scratch scratch(state);
    for (const char* name : {"lower", "upper", "work", "merged", "tmp"})
        base::make_directories(scratch.path / name);
    base::replace_file(scratch.path / "lower/file", "old", 0600, base::Durability::plain);
    auto tried = try_overlay(Maps(), scratch.path);
    check.ok = tried.ok();
    struct utsname system {};
    ::uname(&system);
    if (check.ok) {
        check.detail = fmt::format("with userxattr, kernel {}", system.release);
    } else if (tried.step == 1) {
        check.detail = "not tried: no user namespaces";
    } else {
        check.detail = fmt::format("{} in '{}' (kernel {}, 5.11 or newer is needed): {}",
                                   tried.step == 2 ? "cannot be mounted" : "cannot be written through",
                                   state.string(), system.release, base::errno_text(tried.error));
        check.remedy = "git config --global scad.stateDir <a directory on ext4, xfs or btrfs>";
    }
    return check;
}

// "bubblewrap 0.8.0", "git version 2.39.5 (x)": the first word that starts with a digit.
std::array<int, 3> parse_version(std::string_view text) {
    std::array<int, 3> version{};
    auto at = text.find_first_of("0123456789");
    if (at == std::string_view::npos) return version;
    const char* now = text.data() + at;
    const char* end = text.data() + text.size();
    for (auto& part : version) {
        auto [next, error] = std::from_chars(now, end, part);
        if (error != std::errc() || next == end || *next != '.') break;
        now = next + 1;
    }
    return version;
}

Check check_program(const base::Context& context, const std::string& name, const std::string& program,
                    std::array<int, 3> least, const std::string& remedy) {
    Check check{name, false, true, {}, {}};
    auto needed = fmt::format("{}.{} or newer is needed", least[0], least[1]);
    auto path = base::find_program(program, context.variables.entries());
    if (!path) {
        check.detail = fmt::format("'{}' is not on PATH; {}", program, needed);
        check.remedy = remedy;
        return check;
    }
    base::Command command;
    command.argv = {path->string(), "--version"};
    command.environment = context.variables.minimal();
    command.timeout = std::chrono::seconds{10};
    auto result = base::run(command);
    auto version = base::one_line(base::trim(result.out), 60);
    check.ok = result.ok() && parse_version(version) >= least;
    check.detail = fmt::format("{} at {}", version, path->string());
    if (!check.ok) {
        check.detail += "; " + needed;
        check.remedy = remedy;
    }
    return check;
}

Check check_seccomp() {
    Check check{"seccomp", false, true, {}, {}};
    auto tried = try_in_child([]() -> Tried {
        std::uint32_t action = SECCOMP_RET_USER_NOTIF;
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {1, errno};
        if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) return {1, errno};
        // A filter that refuses one call with an error that it has not by itself.
        std::array<sock_filter, 4> code = {{
            {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(SYS_getppid)},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EUCLEAN},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
        }};
        sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
        if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return {1, errno};
        if (::syscall(SYS_getppid) != -1 || errno != EUCLEAN) return {2, ENOSYS};
        return {};
    });
    check.ok = tried.ok();
    check.detail =
        check.ok ? "a filter was set and held" : fmt::format("no filter: {}", base::errno_text(tried.error));
    return check;
}

Check check_cgroup() {
    Check check{"cgroup", false, false, {}, {}};
    auto access = find_cgroup();
    check.ok = access.has_value();
    if (access) {
        check.detail =
            fmt::format("{} at {}", base::join(access->controllers, ", "), access->parent.string());
    } else {
        check.detail = "none that this user may use: memory is watched and CPUs are bound, both weaker";
        // Only where a user manager could do that.
        if (fs::exists(fmt::format("/run/user/{}/systemd/private", ::geteuid()))) {
            check.remedy = "systemd-run --user --scope -p Delegate=yes $SHELL";
        }
    }
    return check;
}

// f_type of statfs(2).
std::string file_system_name(long type) {
    struct Known {
        long type;
        std::string_view name;
    };
    constexpr std::array<Known, 10> known = {{{0xef53, "ext4"},
                                              {0x58465342, "xfs"},
                                              {0x9123683e, "btrfs"},
                                              {0xf2f52010, "f2fs"},
                                              {0x2fc12fc1, "zfs"},
                                              {0x01021994, "tmpfs"},
                                              {0x6969, "nfs"},
                                              {0x794c7630, "overlay"},
                                              {0x65735546, "fuse"},
                                              {0xff534d42, "cifs"}}};
    auto found = std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.type == type; });
    return found == known.end() ? fmt::format("file system {:#x}", type) : std::string(found->name);
}

Check check_state(const fs::path& state) {
    Check check{"state directory", false, true, {}, {}};
    base::make_directories(state);
    struct statfs system {};
    if (::statfs(state.c_str(), &system) != 0)
        throw system_error(errno, "cannot look at '{}'", state.string());
    auto kind = file_system_name(system.f_type);
    auto space = static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
    bool suitable = kind != "nfs" && kind != "cifs" && kind != "overlay" && kind != "fuse";
    check.detail = fmt::format("{} ({}, {} free)", state.string(), kind, base::format_size(space));
    check.ok = suitable && space >= least_space;
    if (kind == "tmpfs") check.detail += "; its sessions do not survive a reboot";
    if (!suitable) {
        check.detail += "; overlays cannot write to it";
        check.remedy = "git config --global scad.stateDir <a directory on ext4, xfs or btrfs>";
    } else if (!check.ok) {
        check.detail += "; at least 1 GiB is needed";
        check.remedy = "git scad session list";
    }
    return check;
}

Check check_sandbox() {
    Check check{"sandbox", false, true, {}, {}};
    if (::geteuid() == 0) {
        check.detail = "not tried as root";
        return check;
    }
    auto engine = make_engine("bubblewrap");
    SandboxSpec spec;
    spec.name = "check";
    spec.mounts = host_root(NetworkMode::none, spec.name);
    auto runner = make_throwaway(*engine, spec);
    RunRequest request;
    request.argv = {"/bin/true"};
    request.environment = {"PATH=/usr/bin:/bin"};
    auto output = run_captured(*runner, request, {}, std::chrono::seconds{20}, 4096);
    check.ok = output.result.ok();
    check.detail = check.ok ? "started, ran a program, ended"
                            : "its program " + base::describe_wait_status(output.result.wait_status);
    return check;
}

} // namespace

std::vector<Check> check_host(const base::Context& context) {
    const auto& state = context.paths.state;
    const std::vector<std::pair<std::string, std::function<Check()>>> checks = {
        {"ordinary user", check_user},
        {"user namespaces", check_namespaces},
        {"overlay file systems", [&] { return check_overlay(state); }},
        {"bubblewrap",
         [&] {
             return check_program(context, "bubblewrap", "bwrap", {0, 8, 0}, "sudo apt install bubblewrap");
         }},
        {"git",
         [&] {
             return check_program(context, "git", "git", {2, 39, 0}, "sudo apt install git");
         }},
        {"seccomp", check_seccomp},
        {"cgroup", check_cgroup},
        {"state directory", [&] { return check_state(state); }},
        {"sandbox", check_sandbox},
    };
    std::vector<Check> result;
    for (const auto& [name, check] : checks) {
        try {
            result.push_back(check());
        } catch (const Error& error) {
            // What a check could not even try is a finding like any other; its hint is the remedy if it is a
            // command.
            result.push_back({name, false, true, error.message, error.hint});
        }
    }
    return result;
}

} // namespace scad::engine
