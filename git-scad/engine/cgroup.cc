#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/limits.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> wanted_controllers = {"memory", "pids", "cpu"};
constexpr auto outside_name = "scad-outside"; // where the processes of a delegated cgroup move, see make_room
constexpr std::uint64_t cpu_period = 100000;  // microseconds

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> result;
    for (const auto& line : base::lines(text)) {
        for (auto& word : base::split(line, ' ')) {
            if (!word.empty()) result.push_back(std::move(word));
        }
    }
    return result;
}

std::vector<std::string> read_words(const fs::path& file) {
    try {
        return words(base::read_if_exists(file, std::size_t{4} << 20).value_or(""));
    } catch (const Error&) {
        return {}; // it vanished, or is not ours to read
    }
}

void write_value(const fs::path& file, std::string_view value) {
    auto fd = base::open_file(file, O_WRONLY);
    if (::write(fd.get(), value.data(), value.size()) < 0) {
        throw system_error(errno, "cannot write '{}' to '{}'", value, file.string());
    }
}

bool writable(const fs::path& path, int mode) {
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

bool is_delegated(const fs::path& directory) {
    std::array<char, 4> value{};
    auto size = ::getxattr(directory.c_str(), "user.delegate", value.data(), value.size());
    return size == 1 && value[0] == '1';
}

// systemd.slice(5), user@.service(5): inner nodes of the service manager's own tree.
bool is_managers(const fs::path& directory) {
    auto name = directory.filename().string();
    return name.ends_with(".slice") || name.starts_with("user@") || name == "init.scope";
}

// The real root of the hierarchy may have processes beside children with controllers; it alone has no
// cgroup.type.
bool is_true_root(const fs::path& directory) { return !fs::exists(directory / "cgroup.type"); }

std::vector<std::string> usable_controllers(const fs::path& directory) {
    if (!writable(directory, W_OK | X_OK) || !writable(directory / "cgroup.procs", W_OK)) return {};
    auto there = read_words(directory / "cgroup.controllers");
    auto given = read_words(directory / "cgroup.subtree_control");
    auto processes = read_words(directory / "cgroup.procs");
    bool alone = processes.empty() || processes == std::vector<std::string>{std::to_string(::getpid())};
    bool may_give = writable(directory / "cgroup.subtree_control", W_OK) &&
                    (alone || is_true_root(directory) || is_delegated(directory));
    std::vector<std::string> result;
    for (auto name : wanted_controllers) {
        if (contains(given, name) || (may_give && contains(there, name))) result.emplace_back(name);
    }
    return result;
}

// Turns on what children need. A cgroup that gives controllers to children may hold no process itself
// (cgroups(7), "no internal processes"), so those in it move to a child first.
void make_room(const CgroupAccess& access) {
    auto given = read_words(access.parent / "cgroup.subtree_control");
    std::string missing;
    for (const auto& name : access.controllers) {
        if (!contains(given, name)) missing += (missing.empty() ? "+" : " +") + name;
    }
    if (missing.empty()) return;
    if (!is_true_root(access.parent)) {
        auto outside = access.parent / outside_name;
        for (int round = 0; round < 10; ++round) { // who forks meanwhile is met in the next round
            auto processes = read_words(access.parent / "cgroup.procs");
            if (processes.empty()) break;
            if (::mkdir(outside.c_str(), 0755) != 0 && errno != EEXIST) {
                throw system_error(errno, "cannot make cgroup '{}'", outside.string());
            }
            for (const auto& pid : processes) {
                try {
                    write_value(outside / "cgroup.procs", pid);
                } catch (const Error&) {
                    if (pid == std::to_string(::getpid())) throw; // another one may have ended
                }
            }
        }
    }
    write_value(access.parent / "cgroup.subtree_control", missing);
}

std::string field_after(std::string_view line, std::string_view mark) {
    auto at = line.find(mark);
    if (at == std::string_view::npos) return {};
    return std::string(line.substr(at + mark.size()));
}

} // namespace

std::optional<CgroupPlace> find_cgroup_place(std::string_view self_cgroup, std::string_view mountinfo) {
    std::string own;
    for (const auto& line : base::lines(self_cgroup)) {
        if (line.starts_with("0::/")) own = line.substr(3);
    }
    if (own.empty() || own.find("/..") != std::string::npos) return {};
    for (const auto& line : base::lines(mountinfo)) {
        // proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields, "-", type …
        if (!field_after(line, " - ").starts_with("cgroup2 ")) continue;
        auto fields = base::split(line, ' ');
        if (fields.size() < 5) continue;
        const auto& root = fields[3];
        CgroupPlace place;
        place.mount = fields[4];
        if (root == "/") {
            place.own = own == "/" ? place.mount : place.mount / own.substr(1);
        } else if (own == root) {
            place.own = place.mount;
        } else if (own.starts_with(root + "/")) {
            place.own = place.mount / own.substr(root.size() + 1);
        } else {
            continue;
        }
        return place;
    }
    return {};
}

std::optional<CgroupAccess> find_cgroup() {
    auto cgroup = base::read_if_exists("/proc/self/cgroup");
    auto mountinfo = base::read_if_exists("/proc/self/mountinfo");
    if (!cgroup || !mountinfo) return {};
    auto place = find_cgroup_place(*cgroup, *mountinfo);
    if (!place) return {};
    for (auto directory = place->own;; directory = directory.parent_path()) {
        if (!is_managers(directory)) {
            auto controllers = usable_controllers(directory);
            if (!controllers.empty()) return CgroupAccess{directory, std::move(controllers)};
        }
        // Above a delegation, or a cgroup of the manager's, nothing is ours.
        if (directory == place->mount || is_managers(directory) || is_delegated(directory)) return {};
    }
}

std::unique_ptr<Cgroup> Cgroup::make(const CgroupAccess& access, const std::string& name,
                                     const SandboxLimits& limits) {
    make_room(access);
    auto path = access.parent / name;
    // One of that name which is empty was left by a supervisor that was killed.
    ::rmdir(path.c_str());
    if (::mkdir(path.c_str(), 0755) != 0) {
        if (errno != EEXIST) throw system_error(errno, "cannot make cgroup '{}'", path.string());
        path += "-" + base::random_hex(4);
        if (::mkdir(path.c_str(), 0755) != 0)
            throw system_error(errno, "cannot make cgroup '{}'", path.string());
    }
    std::unique_ptr<Cgroup> group(new Cgroup(path));
    if (limits.memory && contains(access.controllers, "memory")) {
        write_value(path / "memory.max", std::to_string(*limits.memory));
        // Absent where the kernel does not account for swap.
        if (fs::exists(path / "memory.swap.max")) write_value(path / "memory.swap.max", "0");
    }
    if (limits.pids && contains(access.controllers, "pids")) {
        write_value(path / "pids.max", std::to_string(*limits.pids));
    }
    if (limits.cpus && contains(access.controllers, "cpu")) {
        auto quota = std::max(std::llround(*limits.cpus * static_cast<double>(cpu_period)),
                              1000LL); // the kernel's least
        write_value(path / "cpu.max", fmt::format("{} {}", quota, cpu_period));
    }
    return group;
}

Cgroup::~Cgroup() {
    // The kernel lets go of the last process a moment after it was reaped.
    for (int i = 0; i < 100 && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

void Cgroup::add(pid_t pid) const { write_value(path_ / "cgroup.procs", std::to_string(pid)); }

std::vector<LimitMeans> Cgroup::read_back() const {
    std::vector<LimitMeans> result;
    auto number = [](const std::vector<std::string>& read, std::size_t at) -> std::optional<std::uint64_t> {
        if (at >= read.size() || read[at] == "max") return {};
        return std::stoull(read[at]);
    };
    if (auto bytes = number(read_words(path_ / "memory.max"), 0)) {
        result.push_back({"memory", base::format_size(*bytes), "cgroup", true});
    }
    if (auto count = number(read_words(path_ / "pids.max"), 0)) {
        result.push_back({"pids", std::to_string(*count), "cgroup", true});
    }
    auto cpu = read_words(path_ / "cpu.max");
    auto quota = number(cpu, 0);
    auto period = number(cpu, 1);
    if (quota && period && *period != 0) {
        auto cpus = static_cast<double>(*quota) / static_cast<double>(*period);
        result.push_back({"cpus", fmt::format("{:g}", cpus), "cgroup", true});
    }
    return result;
}

} // namespace scad::engine
