#include "engine/limits.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <sched.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::engine {

namespace {

bool has(const std::optional<CgroupAccess>& cgroup, std::string_view controller) {
    return cgroup && std::find(cgroup->controllers.begin(), cgroup->controllers.end(), controller) !=
                         cgroup->controllers.end();
}

// A file of /proc; empty when the process is gone or cannot be asked.
std::string read_proc(const std::string& path) {
    base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    if (!fd) return text;
    std::array<char, 4096> buffer{};
    for (;;) {
        auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::uint64_t first_number(std::string_view text) {
    auto at = text.find_first_of("0123456789");
    std::uint64_t number = 0;
    if (at != std::string_view::npos) std::from_chars(text.data() + at, text.data() + text.size(), number);
    return number;
}

// Names that are numbers in a directory of /proc.
std::vector<std::string> numbers_in(const std::string& path) {
    std::vector<std::string> result;
    std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) return result;
    while (auto* entry = ::readdir(directory.get())) {
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') result.emplace_back(entry->d_name);
    }
    return result;
}

// What processes hold, in bytes. Memory with a file of its own (memfd, /dev/shm) can be mapped, open, or
// both.
struct Use {
    std::uint64_t own = 0;                   // without what follows
    std::uint64_t mapped = 0;                // shares of such files and of anonymous shared memory
    std::set<std::pair<dev_t, ino_t>> files; // memory files that are open
    std::uint64_t open = 0;                  // their size
    std::size_t looked_at = 0;               // descriptors
};

constexpr std::size_t most_descriptors = 20'000; // that one look goes through: a job can have millions

void add_memory_files(const std::string& process, Use& use) {
    auto directory = process + "/fd";
    for (const auto& number : numbers_in(directory)) {
        if (++use.looked_at > most_descriptors) return;
        auto path = fmt::format("{}/{}", directory, number);
        std::array<char, 8> target{};
        struct stat status {};
        if (::readlink(path.c_str(), target.data(), target.size()) < 7 ||
            std::string_view(target.data(), 7) != "/memfd:" || ::stat(path.c_str(), &status) != 0)
            continue;
        if (use.files.emplace(status.st_dev, status.st_ino).second)
            use.open += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
}

void add_process(const std::string& process, Use& use) {
    auto rollup = read_proc(process + "/smaps_rollup");
    auto kilobytes = [&](std::string_view key) {
        auto at = rollup.find(key);
        return at == std::string::npos
                   ? 0
                   : first_number(std::string_view(rollup).substr(at + key.size())) * 1024;
    };
    if (rollup.find("\nPss:") != std::string::npos) {
        auto all = kilobytes("\nPss:");
        auto mapped = std::min(all, kilobytes("\nPss_Shmem:"));
        use.own += all - mapped;
        use.mapped += mapped;
    } else {
        // statm: total and resident size in pages; readable by everybody.
        auto statm = read_proc(process + "/statm");
        if (auto space = statm.find(' '); space != std::string::npos)
            use.own += first_number(std::string_view(statm).substr(space)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    add_memory_files(process, use);
}

// Parent to children for all processes: for kernels without task/*/children (CONFIG_PROC_CHILDREN).
std::multimap<std::string, std::string> scan_parents() {
    std::multimap<std::string, std::string> children;
    for (auto& pid : numbers_in("/proc")) {
        auto stat = read_proc("/proc/" + pid + "/stat");
        auto close = stat.rfind(')'); // the name before it may hold anything
        if (close == std::string::npos || close + 4 >= stat.size()) continue;
        children.emplace(std::to_string(first_number(std::string_view(stat).substr(close + 4))), pid);
    }
    return children;
}

} // namespace

std::vector<LimitMeans> plan_limits(const SandboxLimits& limits, const std::optional<CgroupAccess>& cgroup) {
    std::vector<LimitMeans> result;
    if (limits.cpus) {
        auto value = fmt::format("{:g}", *limits.cpus);
        if (has(cgroup, "cpu")) {
            result.push_back({"cpus", value, "cgroup", true});
        } else {
            result.push_back({"cpus", value, "CPU affinity of process 1", false});
        }
    }
    if (limits.memory) {
        auto value = base::format_size(*limits.memory);
        if (has(cgroup, "memory")) {
            result.push_back({"memory", value, "cgroup", true});
        } else {
            result.push_back({"memory", value, "watch (sum of PSS, every 0.5 s)", false});
        }
    }
    if (limits.pids) {
        auto means =
            has(cgroup, "pids") ? "cgroup, RLIMIT_NPROC in the namespace" : "RLIMIT_NPROC in the namespace";
        result.push_back({"pids", std::to_string(*limits.pids), means, true});
    }
    if (limits.open_files) {
        result.push_back(
            {"open_files", std::to_string(*limits.open_files), "RLIMIT_NOFILE (each process)", true});
    }
    if (limits.file_size) {
        result.push_back(
            {"file_size", base::format_size(*limits.file_size), "RLIMIT_FSIZE (each file)", true});
    }
    result.push_back({"shm", base::format_size(limits.shm), "size of tmpfs", true});
    return result;
}

void set_affinity(pid_t pid, double cpus, unsigned spread) {
    cpu_set_t ours;
    if (::sched_getaffinity(0, sizeof ours, &ours) != 0)
        throw system_error(errno, "cannot read the CPU affinity");
    std::vector<std::size_t> all;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &ours)) all.push_back(cpu);
    }
    auto count = std::min(static_cast<std::size_t>(std::max(std::ceil(cpus), 1.0)), all.size());
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    for (std::size_t i = 0; i < count; ++i) CPU_SET(all[(spread + i) % all.size()], &chosen);
    if (::sched_setaffinity(pid, sizeof chosen, &chosen) != 0) {
        throw system_error(errno, "cannot set the CPU affinity of process {}", pid);
    }
}

std::uint64_t tree_memory(pid_t root, std::uint64_t in_file_systems) {
    static const bool lists_children = ::access("/proc/thread-self/children", R_OK) == 0;
    std::multimap<std::string, std::string> parents;
    if (!lists_children) parents = scan_parents();
    Use use;
    std::set<std::string> seen = {std::to_string(root)};
    std::vector<std::string> open(seen.begin(), seen.end());
    while (!open.empty()) {
        auto pid = std::move(open.back());
        open.pop_back();
        auto process = "/proc/" + pid;
        add_process(process, use);
        auto add = [&](const std::string& child) {
            if (seen.insert(child).second) open.push_back(child);
        };
        if (lists_children) {
            for (const auto& task : numbers_in(process + "/task")) {
                auto children = read_proc(fmt::format("{}/task/{}/children", process, task));
                for (const auto& child : base::split(base::trim(children), ' ')) {
                    if (!child.empty()) add(child);
                }
            }
        } else {
            auto [first, last] = parents.equal_range(pid);
            for (; first != last; ++first) add(first->second);
        }
    }
    // What is both mapped and open counts once.
    return use.own + std::max(use.mapped, use.open + in_file_systems);
}

} // namespace scad::engine
