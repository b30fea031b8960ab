#include "engine/bubblewrap_argv.h"

#include "base/error.h"
#include "engine/engine.h"

#include <algorithm>
#include <set>

namespace scad::engine {

namespace {

template <class... F> struct Overloaded : F... { using F::operator()...; };
template <class... F> Overloaded(F...) -> Overloaded<F...>;

constexpr std::uint64_t smallest_shm = 4096; // bytes; 0 would mean no limit

bool lies_below(const std::string& path, const std::string& directory) {
    return directory == "/" ? path != "/"
                            : path.size() > directory.size() && path.starts_with(directory) &&
                                  path[directory.size()] == '/';
}

bool is_normal(const std::string& path) {
    return path.size() > 1 && path.front() == '/' && path.back() != '/' &&
           path.find('\0') == std::string::npos && std::filesystem::path(path).lexically_normal() == path;
}

std::string octal(unsigned mode) { return fmt::format("{:04o}", mode); }

class Planner {
  public:
    Planner(const SandboxSpec& spec, const LaunchFacts& facts) : spec_(spec), facts_(facts) {}

    Launch plan() {
        if (facts_.wait_fd >= 0) launch_.stage.push_back({"wait", std::to_string(facts_.wait_fd)});
        name_spaces();
        add({"--proc", "/proc", "--dev", "/dev"});
        add({"--perms", "1777", "--size", std::to_string(std::max(spec_.limits.shm, smallest_shm)), "--tmpfs",
             "/dev/shm"});
        made_.insert({"/", "/proc", "/dev", "/dev/shm"});
        covered_.insert({"/proc", "/dev"});
        for (const Mount& mount : spec_.mounts) place(mount);
        place({std::string(init_path), Bind{facts_.init, false}});
        for (const std::string& file : facts_.masked_files) add({"--ro-bind", staged("null"), file});
        for (const std::string& directory : facts_.masked_directories)
            add({"--ro-bind", staged("empty"), directory});
        // Of the settings in it those of a name space belong to whoever made that, and a job has the same id.
        add({"--ro-bind", "/proc/sys", "/proc/sys"});
        // Last: what lies in the root itself would be obeyed by every later job (/etc/ld.so.preload, passwd,
        // gitconfig).
        add({"--remount-ro", "/", "--remount-ro", "/dev"});
        add({"--chdir", spec_.directory});
        launch_.stage.push_back({"run", facts_.bwrap.string(), std::to_string(facts_.arguments_fd), "--args",
                                 std::to_string(facts_.arguments_fd), "--", std::string(init_path),
                                 std::to_string(facts_.channel_fd)});
        init_settings(launch_.stage.back());
        return std::move(launch_);
    }

  private:
    void add(std::initializer_list<std::string> words) {
        launch_.arguments.insert(launch_.arguments.end(), words);
    }
    static std::string staged(std::string_view slot) {
        return std::string(stage::stage_directory) + "/" + std::string(slot);
    }

    void name_spaces() {
        // --disable-userns insists on a literal --unshare-user. The name space of System V IPC is the
        // stage's.
        add({"--unshare-user", "--disable-userns", "--uid", std::to_string(inner_uid), "--gid",
             std::to_string(inner_uid)});
        add({"--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"});
        if (spec_.network != NetworkMode::host) add({"--unshare-net"});
        add({"--hostname", spec_.name.empty() ? "sandbox" : spec_.name.substr(0, 64)});
        add({"--die-with-parent", "--new-session", "--as-pid-1"});
        add({"--json-status-fd", std::to_string(facts_.status_fd), "--seccomp",
             std::to_string(facts_.filter_fd)});
        add({"--cap-drop", "ALL"});
        // In this user name space it reaches no other user's files (capabilities(7)).
        if (spec_.read_all) add({"--cap-add", "CAP_DAC_READ_SEARCH"});
        add({"--clearenv", "--setenv", "PATH", "/usr/bin:/bin"});
    }

    void init_settings(stage::Operation& run) const {
        auto setting = [&](const char* name, std::uint64_t value) {
            run.push_back(fmt::format("{}={}", name, value));
        };
        const SandboxLimits& limits = spec_.limits;
        if (limits.pids) setting("processes", *limits.pids);
        if (limits.open_files) setting("files", *limits.open_files);
        if (limits.file_size) setting("size", *limits.file_size);
        if (spec_.network == NetworkMode::allow && spec_.proxy_port != 0) setting("port", spec_.proxy_port);
    }

    // bubblewrap would make missing parents too, but some of them with the mode of what it makes in them.
    void make_parents(const std::string& target) {
        for (std::size_t slash = target.find('/', 1); slash != std::string::npos;
             slash = target.find('/', slash + 1)) {
            std::string parent = target.substr(0, slash);
            // /dev is a file system of the sandbox's own, in which directories can be made.
            if ((!is_covered(parent) || lies_below(parent, "/dev")) && made_.insert(parent).second)
                add({"--perms", "0755", "--dir", parent});
        }
    }
    bool is_covered(const std::string& path) const { // has content of its own, from the host
        return std::any_of(covered_.begin(), covered_.end(), [&](const std::string& mount) {
            return path == mount || lies_below(path, mount);
        });
    }

    void check_target(const Mount& mount) {
        if (!is_normal(mount.target))
            throw fatal("the mount target '{}' is not an absolute, normal path", mount.target);
        for (const std::string& writable : writable_)
            if (lies_below(mount.target, writable) || mount.target == writable)
                throw fatal("'{}' cannot be mounted inside '{}', which the session can write", mount.target,
                            writable);
        if (covered_.contains(mount.target) || mount.target == "/dev/shm")
            throw fatal("'{}' is mounted twice", mount.target);
        if (lies_below(mount.target, "/proc"))
            throw fatal("'{}' cannot be mounted inside '/proc'", mount.target);
    }

    void place(const Mount& mount) {
        check_target(mount);
        make_parents(mount.target);
        std::visit(
            Overloaded{[&](const Bind& bind) { place_bind(mount.target, bind, mount.exact); },
                       [&](const Overlay& overlay) { place_overlay(mount.target, overlay, mount.exact); },
                       [&](const Tmpfs& tmpfs) {
                           add({"--perms", octal(tmpfs.mode), "--size",
                                std::to_string(std::max<std::uint64_t>(tmpfs.size, 4096)), "--tmpfs",
                                mount.target});
                       },
                       [&](const File& file) {
                           if (next_file_ >= facts_.file_fds.size())
                               throw fatal("no descriptor for '{}'", mount.target);
                           add({"--perms", octal(file.mode), "--file",
                                std::to_string(facts_.file_fds[next_file_++]), mount.target});
                       },
                       [&](const Directory& directory) {
                           add({"--perms", octal(directory.mode), "--dir", mount.target});
                       },
                       [&](const Symlink& link) {
                           add({"--symlink", link.target, mount.target});
                       },
                       [&](const Device& device) { place_device(mount.target, device); }},
            mount.what);
        made_.insert(mount.target);
    }

    std::string next_slot() { return std::to_string(next_slot_++); }

    void place_bind(const std::string& target, const Bind& bind, bool exact) {
        if (!bind.source.is_absolute())
            throw fatal("the source '{}' of '{}' is not absolute", bind.source.string(), target);
        if (bind.git && (!bind.writable || exact))
            throw fatal("the bind at '{}' cannot have a git directory", target);
        std::string slot = next_slot();
        launch_.stage.push_back({exact ? "bind-exact" : "bind", slot, bind.source.string()});
        if (bind.git) launch_.stage.back().push_back("git=" + bind.git->string());
        add({bind.writable ? "--bind" : "--ro-bind", staged(slot), target});
        covered_.insert(target);
        if (bind.writable) writable_.insert(target);
    }

    // Bound without "nodev", which is why nothing but a device may be.
    void place_device(const std::string& target, const Device& device) {
        if (!device.source.is_absolute())
            throw fatal("the device '{}' is not absolute", device.source.string());
        std::string slot = next_slot();
        launch_.stage.push_back({"device", slot, device.source.string()});
        add({"--dev-bind", staged(slot), target});
        covered_.insert(target);
    }

    void place_overlay(const std::string& target, const Overlay& overlay, bool exact) {
        if (overlay.lowers.empty()) throw fatal("the overlay at '{}' has no lower layer", target);
        if (overlay.upper.has_value() != overlay.work.has_value())
            throw fatal("the overlay at '{}' needs both an upper and a work directory", target);
        if (overlay.git && !overlay.upper)
            throw fatal("the read-only overlay at '{}' cannot have a git directory", target);
        std::string slot = next_slot();
        stage::Operation operation = {"overlay", slot};
        for (const auto& lower : overlay.lowers)
            operation.push_back((exact ? "exact=" : "lower=") + lower.string());
        if (overlay.upper) {
            operation.push_back("upper=" + overlay.upper->string());
            operation.push_back("work=" + overlay.work->string());
            if (overlay.git) operation.push_back("git=" + overlay.git->string());
            if (facts_.watch_fd >= 0) operation.push_back(fmt::format("watch={}", facts_.watch_fd));
            writable_.insert(target);
        }
        launch_.stage.push_back(std::move(operation));
        add({overlay.upper ? "--bind" : "--ro-bind", staged(slot), target});
        covered_.insert(target);
    }

    const SandboxSpec& spec_;
    const LaunchFacts& facts_;
    Launch launch_;
    std::set<std::string> made_;     // targets and parents that are there
    std::set<std::string> covered_;  // mounts with content of their own
    std::set<std::string> writable_; // those of them that a session can write
    std::size_t next_file_ = 0;
    unsigned next_slot_ = 0;
};

} // namespace

ProcMasks proc_masks() {
    // Without a capability most of these are closed anyway, or hold nothing: that must not hang on one check
    // of the kernel alone. Not more than these, because each costs a mount at every start.
    return {{"/proc/kallsyms", "/proc/kcore", "/proc/key-users", "/proc/keys", "/proc/kmsg",
             "/proc/latency_stats", "/proc/sched_debug", "/proc/sysrq-trigger", "/proc/timer_list",
             "/proc/timer_stats"},
            {"/proc/acpi", "/proc/dynamic_debug", "/proc/scsi"}};
}

Launch plan_launch(const SandboxSpec& spec, const LaunchFacts& facts) { return Planner(spec, facts).plan(); }

} // namespace scad::engine
