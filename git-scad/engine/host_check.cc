#include "engine/host_check.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/devices.h"
#include "engine/engine.h"
#include "engine/host_check_login.h"
#include "engine/host_check_state.h"
#include "engine/init/stage_plan.h"
#include "engine/limits.h"
#include "engine/runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <functional>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

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

// Has scad-init make the mounts that a sandbox stands on, as it does for each: what AppArmor allows depends
// on the program. Returns what it said; empty: all done.
std::string try_stage(const std::vector<stage::Operation>& operations) {
    const auto init = base::sibling_program("scad-init");
    const auto plan = base::make_memory_file("plan", stage::encode(operations));
    base::Command command;
    command.argv = {init.native(), "stage", std::to_string(plan.get())};
    command.environment = std::vector<std::string>{"PATH=/usr/bin:/bin"};
    command.inherit = {plan.get()};
    command.timeout = std::chrono::seconds{20};
    const auto result = base::run(command);
    if (result.ok()) return {};
    std::string said(base::trim(result.err));
    if (said.starts_with("scad-init: ")) said.erase(0, 11);
    return said.empty() ? base::describe_wait_status(result.wait_status) : base::one_line(said, 200);
}

Check check_namespaces() {
    const auto failure = try_stage({});
    if (failure.empty()) return {"user namespaces", true, true, "made, with a mount inside", {}};
    NamespaceSettings settings;
    settings.apparmor = sysctl("kernel/apparmor_restrict_unprivileged_userns");
    settings.cloning = sysctl("kernel/unprivileged_userns_clone");
    settings.most = sysctl("user/max_user_namespaces");
    const auto prefix = base::sibling_program("scad-init").parent_path().parent_path().parent_path();
    if (const auto profile = prefix / "share/scad/apparmor.d/scad"; fs::exists(profile))
        settings.profile = profile;
    return explain_namespaces(failure, settings);
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

// Mounts an overlay below `state` as sessions do and writes through it: the change must be in the upper layer
// alone. Returns what failed; empty: nothing.
std::string try_overlay(const fs::path& state) {
    Scratch scratch(state);
    for (const char* name : {"lower", "upper", "work"}) base::make_directories(scratch.path / name);
    base::replace_file(scratch.path / "lower/file", "old", 0600, base::Durability::plain);
    const auto& at = scratch.path;
    auto failure = try_stage(
        {{"overlay", "0", "lower=" + (at / "lower").string(), "upper=" + (at / "upper").string(),
          "work=" + (at / "work").string()},
         {"run", "/bin/sh", "0", "-c", fmt::format("echo new >{}/0/file", stage::stage_directory)}});
    const auto content = [&](const char* layer) {
        return base::read_if_exists(at / layer / "file").value_or("");
    };
    if (failure.empty() && (content("upper") != "new\n" || content("lower") != "old"))
        failure = "what is written gets lost";
    return failure;
}

// Without them each session has a plain copy of its repos.
Check check_overlay(const fs::path& state) {
    Check check{"overlays", false, false, {}, {}};
    const auto failure = try_overlay(state);
    check.ok = failure.empty();
    struct utsname system {};
    ::uname(&system);
    if (check.ok) {
        check.detail = fmt::format("with userxattr, kernel {}", system.release);
    } else {
        check.detail = fmt::format(
            "none over '{}', so each session has a plain copy of its repos (kernel "
            "{}, 5.11 or newer is needed): {}",
            state.string(), system.release, failure);
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

// What would give a cgroup of one's own, where there is a service manager that can.
std::string cgroup_remedy() {
    if (!fs::exists("/run/systemd/system")) return {};
    std::string shell = "systemd-run --user --scope -p Delegate=yes $SHELL";
    const bool manager = fs::exists(fmt::format("/run/user/{}/systemd/private", ::geteuid()));
    return manager ? shell : "loginctl enable-linger && " + shell;
}

// A whole sandbox, with every limit, and by what it is held.
std::vector<Check> check_sandbox() {
    Check whole{"sandbox", false, true, {}, {}};
    if (::geteuid() == 0) {
        whole.detail = "not tried as root";
        return {whole};
    }
    auto engine = make_engine("bubblewrap");
    SandboxSpec spec;
    spec.name = "check";
    spec.mounts = host_root(NetworkMode::none, spec.name);
    spec.limits.cpus = 1;
    spec.limits.memory = std::uint64_t{1} << 30;
    spec.limits.pids = 64;
    auto limits = engine->start(spec)->limits();
    auto runner = make_throwaway(*engine, spec);
    RunRequest request;
    request.argv = {"git", "--version"};
    request.environment = {"PATH=/usr/bin:/bin"};
    auto output = run_captured(*runner, request, {}, std::chrono::seconds{20}, 4096);
    whole.ok = output.result.ok();
    whole.detail = whole.ok ? "started, ran git, ended"
                            : "git in it " + base::describe_wait_status(output.result.wait_status);
    std::vector<Check> checks = {whole};
    for (const auto& limit : limits)
        checks.push_back({"limit " + limit.name, limit.strong, false,
                          limit.means + (limit.strong ? "" : ": weak, for want of a cgroup of one's own"),
                          limit.strong ? "" : cgroup_remedy()});
    return checks;
}

std::vector<Check> check_gpus() {
    const auto host = find_gpus();
    const auto devices = plan_gpus(host);
    Check check{"graphics", !devices.nodes.empty(), false, base::join(devices.nodes, ", "), {}};
    if (!check.ok) {
        auto lack = gpu_lack(host);
        check.detail = std::move(lack.reason);
        check.remedy = std::move(lack.remedy);
    }
    std::vector<Check> checks = {check};
    for (const auto& warning : check.ok ? devices.warnings : host.warnings)
        checks.push_back({"graphics", false, false, warning, {}});
    return checks;
}

// The other device that work often wants; without one there is nothing to say.
std::vector<Check> check_kvm() {
    const auto node = find_node("/dev/kvm");
    if (node.number.empty()) return {};
    if (node.usable) return {{node.path, true, false, "can be given to sessions", {}}};
    return {{node.path, false, false, "you cannot open it", opening_command({node})}};
}

} // namespace

bool refuses_overlays(const fs::path& state) { return !try_overlay(state).empty() && try_stage({}).empty(); }

Check explain_namespaces(const std::string& failure, const NamespaceSettings& settings) {
    Check check{"user namespaces", false, true, {}, {}};
    // ENOSPC: namespaces(7), "limits on the number".
    if (settings.most == "0" || failure.find("No space left") != std::string::npos) {
        check.detail = fmt::format("no more are allowed (user.max_user_namespaces is {})", settings.most);
        check.remedy = "sudo sysctl -w user.max_user_namespaces=15000";
    } else if (settings.cloning == "0") {
        check.detail = "switched off for ordinary users (kernel.unprivileged_userns_clone)";
        check.remedy = "sudo sysctl -w kernel.unprivileged_userns_clone=1";
    } else if (settings.apparmor == "1") {
        check.detail = "AppArmor refuses them to programs without a profile that allows them";
        check.remedy = settings.profile
                           ? fmt::format(
                                 "sudo install -m 644 {} /etc/apparmor.d/scad && sudo apparmor_parser "
                                 "-r /etc/apparmor.d/scad",
                                 base::shell_quote(settings.profile->native()))
                           : "sudo ./run install, in scad's source tree";
    } else {
        check.detail = failure;
    }
    return check;
}

std::vector<Check> check_host(const base::Context& context) {
    const auto& state = context.paths.state;
    std::vector<Check> result;
    const auto can = [&](std::string_view name) {
        return std::none_of(result.begin(), result.end(),
                            [&](const Check& check) { return check.name == name && !check.ok; });
    };
    // What stands on user namespaces fails without them for that reason alone.
    const auto in_namespace = [&](const char* name, const std::function<std::vector<Check>()>& check) {
        return std::pair<std::string, std::function<std::vector<Check>()>>(name, [=, &can] {
            if (can("user namespaces")) return check();
            return std::vector<Check>{{name, false, true, "not tried: no user namespaces", {}}};
        });
    };
    const auto one = [](auto check) { return [check] { return std::vector<Check>{check()}; }; };
    const std::vector<std::pair<std::string, std::function<std::vector<Check>()>>> checks = {
        {"ordinary user", one(check_user)},
        {"user namespaces", one(check_namespaces)},
        in_namespace("overlays", one([&] { return check_overlay(state); })),
        {"bubblewrap", one([&] {
             return check_program(context, "bubblewrap", "bwrap", {0, 8, 0}, "sudo apt install bubblewrap");
         })},
        {"git", one([&] {
             return check_program(context, "git", "git", {2, 39, 0}, "sudo apt install git");
         })},
        {"seccomp", one(check_seccomp)},
        in_namespace("sandbox", check_sandbox),
        {"state directory", [&] { return check_state(state); }},
        {"logout", one([&] { return explain_login(find_login(context)); })},
        {"graphics", check_gpus},
        {"/dev/kvm", check_kvm},
    };
    for (const auto& [name, check] : checks) {
        try {
            for (auto& found : check()) result.push_back(std::move(found));
        } catch (const Error& error) {
            // What a check could not even try is a finding like any other; its hint is the remedy if it is a
            // command.
            result.push_back({name, false, true, error.message, error.hint});
        }
    }
    return result;
}

} // namespace scad::engine
