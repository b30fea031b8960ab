#pragma once

#include "base/fd.h"
#include "engine/sandbox_spec.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace scad::engine {

// What of cgroups (v2, cgroups(7)) this process may use for children.
struct CgroupAccess {
    std::filesystem::path parent;         // a writable directory with delegated controllers
    std::vector<std::string> controllers; // of memory, pids, cpu: those it can give to children
};
// Its own cgroup or one above it, if it may make children there and give them a controller: one that the
// service manager delegated (systemd marks it with the attribute user.delegate), or one without foreign
// processes. Slices and the user manager's own cgroup belong to the service manager and are passed over.
// Empty on cgroup v1, without write access, without controllers.
std::optional<CgroupAccess> find_cgroup();

// Where this process stands in the v2 hierarchy, from the texts of /proc/self/cgroup and
// /proc/self/mountinfo. Empty: nowhere. Pure.
struct CgroupPlace {
    std::filesystem::path mount; // of the hierarchy: nothing above it is looked at
    std::filesystem::path own;   // below mount, or mount itself
    bool operator==(const CgroupPlace&) const = default;
};
std::optional<CgroupPlace> find_cgroup_place(std::string_view self_cgroup, std::string_view mountinfo);

// A cgroup of one sandbox; removed by the destructor (its processes are gone then).
class Cgroup {
  public:
    static std::unique_ptr<Cgroup> make(const CgroupAccess& access, const std::string& name,
                                        const SandboxLimits& limits); // fatal when a value is refused
    ~Cgroup();
    const std::filesystem::path& path() const { return path_; }
    void add(pid_t pid) const;
    std::vector<LimitMeans> read_back() const;

  private:
    explicit Cgroup(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

// How each limit will be held: `held` by cgroup, rlimits set by process 1, mount sizes, or the watch. Fatal
// for one that nothing can hold. Pure.
std::vector<LimitMeans> plan_limits(const SandboxLimits& limits, const std::optional<CgroupAccess>& cgroup);

// The weak means for `cpus` without a cgroup: binds a process (host pid; 0: the caller) to as many of the
// caller's CPUs as the limit rounds up to (sched_setaffinity(2)). What it starts afterwards inherits that, so
// it is done before the first job; a job can undo it for itself. Which CPUs: consecutive ones from a place
// that depends on `spread`, so that sessions do not all sit on the same. Fatal when refused.
void set_affinity(pid_t pid, double cpus, unsigned spread);

// Sum of PSS in bytes (proc_pid_smaps_rollup in proc(5)) of process `root` (host pid) and all its
// descendants; memory files (memfd_create(2)) that they hold open without mapping them count too, and so do
// `in_file_systems` bytes that lie in file systems of memory which they share. Of a process that cannot be
// asked (it made itself not dumpable) all its resident memory counts, shared or not: hiding does not pay. 0
// when it does not exist.
std::uint64_t tree_memory(pid_t root, std::uint64_t in_file_systems = 0);

} // namespace scad::engine
