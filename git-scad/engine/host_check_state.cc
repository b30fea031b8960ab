#include "engine/host_check_state.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <sys/vfs.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t least_space = std::uint64_t{1} << 30;
constexpr std::string_view other_place = "git config --global scad.stateDir <a directory on a local disk>";

struct Known {
    long type;
    std::string_view name;
    bool network;
};
// f_type of statfs(2), most of them in linux/magic.h.
constexpr std::array known = {Known{0xef53, "ext4", false},      Known{0x58465342, "xfs", false},
                              Known{0x9123683e, "btrfs", false}, Known{0xf2f52010, "f2fs", false},
                              Known{0x2fc12fc1, "zfs", false},   Known{0xca451a4e, "bcachefs", false},
                              Known{0x01021994, "tmpfs", false}, Known{0x794c7630, "overlay", false},
                              Known{0x4d44, "vfat", false},      Known{0x7366746e, "ntfs", false},
                              Known{0x6969, "nfs", true},        Known{0xff534d42, "cifs", true},
                              Known{0xfe534d42, "smb2", true},   Known{0x517b, "smb", true},
                              Known{0x00c36400, "ceph", true},   Known{0x01021997, "9p", true},
                              Known{0x5346414f, "afs", true},    Known{0x6b414653, "afs", true},
                              Known{0x65735546, "fuse", true},   Known{0x0bd00bd0, "lustre", true},
                              Known{0x47504653, "gpfs", true},   Known{0x01161970, "gfs2", true},
                              Known{0x7461636f, "ocfs2", true},  Known{0x786f4256, "vboxsf", true}};

const Known* find_known(long type) {
    const auto* found =
        std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.type == type; });
    return found == known.end() ? nullptr : found;
}

struct statfs look_at(const fs::path& path) {
    struct statfs system {};
    if (::statfs(path.c_str(), &system) != 0) throw system_error(errno, "cannot look at '{}'", path.string());
    return system;
}

// A lock of this process, and another process that must not get it, and must once it is free. Not the same
// process twice: some file systems turn locks into those of fcntl(2), which are a process's.
std::string lock_problem(const fs::path& state) {
    const auto path = state / fmt::format(".lock-{}", base::random_hex(6));
    base::Command other;
    other.argv = {"flock", "--nonblock", "--conflict-exit-code", "75", path.string(), "true"};
    other.environment = std::vector<std::string>{"PATH=/usr/bin:/bin"};
    other.timeout = std::chrono::seconds{20};
    std::string problem;
    try {
        auto lock = base::FileLock::try_acquire(path);
        if (!lock) throw fatal("a lock that nobody holds cannot be had");
        if (const auto status = base::run(other).status(); status != 75)
            problem = status == 0 ? "two processes hold the same lock at once"
                                  : fmt::format("flock(1) ended with status {}", status);
        lock.reset();
        if (problem.empty() && base::run(other).status() != 0)
            problem = "a lock that was let go of is still held";
    } catch (const Error& error) {
        problem = error.message;
    }
    std::error_code error;
    fs::remove(path, error);
    return problem;
}

} // namespace

std::string file_system_name(long type) {
    const auto* one = find_known(type);
    return one == nullptr ? fmt::format("file system {:#x}", type) : std::string(one->name);
}

bool is_network_file_system(long type) {
    const auto* one = find_known(type);
    return one != nullptr && one->network;
}

std::vector<Check> check_state(const fs::path& state) {
    base::make_directories(state);
    const auto system = look_at(state);
    Check place{"state directory",
                true,
                true,
                fmt::format("{} ({})", state.string(), file_system_name(system.f_type)),
                {}};
    if (file_system_name(system.f_type) == "tmpfs") place.detail += "; its sessions do not survive a reboot";
    if (const auto problem = lock_problem(state); !problem.empty()) {
        place.ok = false;
        place.detail += "; locks do not hold there: " + problem;
        place.remedy = other_place;
    } else if (is_network_file_system(system.f_type)) {
        place.detail += "; locks hold between processes of this machine. Use it from no other one";
    }
    const auto space =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
    Check free{"free space", space >= least_space, true, base::format_size(space), {}};
    if (!free.ok) {
        free.detail += "; at least 1 GiB is needed";
        free.remedy = "git scad session list";
    }
    return {place, free};
}

void require_locks(const fs::path& state) {
    base::make_directories(state);
    const auto type = look_at(state).f_type;
    if (!is_network_file_system(type)) return;
    if (const auto problem = lock_problem(state); !problem.empty())
        throw fatal("the state directory '{}' lies on {}, where locks do not hold: {}", state.string(),
                    file_system_name(type), problem)
            .with_hint("{}", other_place);
}

} // namespace scad::engine
