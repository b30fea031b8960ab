#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace scad::engine {

// A host directory or regular file as it is. A writable one is never a place that scad keeps state in.
struct Bind {
    std::filesystem::path source;
    bool writable = false;
    std::optional<std::filesystem::path> git = {}; // as of an Overlay
    bool operator==(const Bind&) const = default;
};

// An overlay file system (Documentation/filesystems/overlayfs.rst). Without `upper` it is read-only over an
// empty directory: its sockets and FIFOs are dead, its files readable.
struct Overlay {
    std::vector<std::filesystem::path> lowers; // topmost first
    std::optional<std::filesystem::path> upper;
    std::optional<std::filesystem::path> work; // beside upper, empty
    std::optional<std::filesystem::path> git;  // a directory that is mounted at ".git" of it, without
                                               // following what the upper layer holds there
    bool operator==(const Overlay&) const = default;
};

struct Tmpfs {
    std::uint64_t size = 0; // bytes
    unsigned mode = 0755;
    bool operator==(const Tmpfs&) const = default;
};

// A small read-only file with this content.
struct File {
    std::string content;
    unsigned mode = 0444;
    bool operator==(const File&) const = default;
};

struct Directory { // an empty one, in the (finally read-only) root
    unsigned mode = 0755;
    bool operator==(const Directory&) const = default;
};

struct Symlink {
    std::string target;
    bool operator==(const Symlink&) const = default;
};

// A device node of the host, to be used as by the caller. A character device, never a directory nor a disk.
struct Device {
    std::filesystem::path source;
    bool operator==(const Device&) const = default;
};

struct Mount {
    std::string target; // absolute, normal, inside the sandbox
    std::variant<Bind, Overlay, Tmpfs, File, Directory, Symlink, Device> what;
    bool optional = false; // a source that does not exist is passed over
    bool exact = false; // no part of a Bind's source or of an Overlay's lowers may be a link: for places that
                        // a session can have swapped since
    bool operator==(const Mount&) const = default;
};

enum class NetworkMode { none, allow, host };

// What the kernel and the engine can hold for the whole sandbox. None: not limited.
struct SandboxLimits {
    std::optional<double> cpus;
    std::optional<std::uint64_t> memory; // bytes
    std::optional<std::uint64_t> pids;
    std::optional<std::uint64_t> open_files;     // for each process
    std::optional<std::uint64_t> file_size;      // bytes of one file
    std::uint64_t shm = std::uint64_t{64} << 20; // bytes of /dev/shm
    bool operator==(const SandboxLimits&) const = default;
};

// All about one sandbox: a value, the same for every engine. Mounts are made in their order; parents that are
// missing are made as 0755 directories.
struct SandboxSpec {
    std::string name; // host name inside, and for messages
    std::vector<Mount> mounts;
    NetworkMode network = NetworkMode::none;
    std::uint16_t proxy_port =
        0; // with NetworkMode::allow: where scad-init listens on 127.0.0.1 and passes connections on
    SandboxLimits limits;
    std::string directory = "/"; // where process 1 stands
    bool read_all = false;       // programs may read the caller's own files whatever their mode says: for
                                 // throw-away sandboxes that copy what a session left
    bool operator==(const SandboxSpec&) const = default;
};

// One limit and what holds it, for `session show`: {"memory", "16 GiB", "watch (sum of PSS)"}.
struct LimitMeans {
    std::string name;
    std::string value;
    std::string means;  // "cgroup", "watch (sum of PSS, every 0.5 s)", "RLIMIT_NPROC in the namespace", "size
                        // of tmpfs", …
    bool strong = true; // false: can be exceeded for a moment, or holds per process only
    bool operator==(const LimitMeans&) const = default;
};

} // namespace scad::engine
