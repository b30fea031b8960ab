#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/devices.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

// Nodes of graphics processors, by directory and pattern.
struct Nodes {
    const char* directory;
    const char* pattern;
};
constexpr std::array node_patterns = {Nodes{"/dev", "nvidia[0-9]*"},
                                      Nodes{"/dev", "nvidiactl"},
                                      Nodes{"/dev", "nvidia-uvm"},
                                      Nodes{"/dev", "nvidia-uvm-tools"},
                                      Nodes{"/dev", "nvidia-modeset"},
                                      Nodes{"/dev/nvidia-caps", "nvidia-cap*"},
                                      Nodes{"/dev", "kfd"},
                                      Nodes{"/dev/nvidia-caps-imex-channels", "channel*"},
                                      Nodes{"/dev/dri", "renderD*"},
                                      Nodes{"/dev", "dxg"}};

// What drivers' loaders (OpenCL, Vulkan, EGL) and runtimes read beside what sandboxes see anyway.
constexpr std::array places = {
    "/etc/OpenCL",       "/etc/vulkan", "/etc/glvnd", "/sys/devices/system/cpu", "/sys/devices/system/node",
    "/sys/module/amdgpu"};

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
        names.push_back(entry->path().filename().native());
    std::sort(names.begin(), names.end());
    return names;
}

std::string real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::canonical(path, error);
    return error ? std::string() : real.native();
}

// Its directory or the nearest above it that is a PCI device.
std::string pci_device(const fs::path& device) {
    for (auto above = device; above.native().starts_with("/sys/devices/"); above = above.parent_path())
        if (fs::path(real_path(above / "subsystem")).filename() == "pci") return above.native();
    return {};
}

std::vector<Library> find_libraries() {
    const std::vector<std::string> environment = {"PATH=/usr/sbin:/sbin:/usr/bin:/bin"};
    std::vector<Library> libraries;
    const auto ldconfig = base::find_program("ldconfig", environment);
    if (!ldconfig) return libraries; // another C library, which has no such cache
    base::Command command;
    command.argv = {ldconfig->native(), "-p"};
    command.environment = environment;
    command.timeout = std::chrono::seconds{10};
    for (auto& path : driver_libraries(base::run(command).out)) {
        auto real = real_path(path);
        if (!real.empty()) libraries.push_back({std::move(path), std::move(real)});
    }
    return libraries;
}

// Leaves of the specifications what is there; tells what is not.
void look_at_cdi(GpuHost& host) {
    host.cdi = gpu_edits(read_cdi({"/etc/cdi", "/var/run/cdi"}, host.warnings));
    std::vector<std::string> gone;
    std::erase_if(host.cdi.nodes, [&](const CdiNode& node) {
        struct stat status {};
        if (::stat(node.host_path.c_str(), &status) != 0) {
            gone.push_back(node.host_path);
            return true;
        }
        return !S_ISCHR(status.st_mode) || ::access(node.host_path.c_str(), R_OK) != 0;
    });
    std::erase_if(host.cdi.mounts, [&](CdiMount& mount) {
        struct stat status {};
        if (::stat(mount.host_path.c_str(), &status) != 0) {
            gone.push_back(mount.host_path);
            return true;
        }
        mount.directory = S_ISDIR(status.st_mode);
        // Sockets are ways out of the sandbox.
        return !mount.directory && !S_ISREG(status.st_mode);
    });
    for (const auto& mount : host.cdi.mounts)
        if (::access(mount.container_path.c_str(), F_OK) == 0) host.present.push_back(mount.container_path);
    for (const auto& hook : host.cdi.hooks)
        for (const auto& argument : hook.arguments)
            if (const auto colons = argument.find("::"); colons != std::string::npos)
                if (auto link = argument.substr(colons + 2); ::access(link.c_str(), F_OK) == 0)
                    host.present.push_back(std::move(link));
    if (!gone.empty())
        host.warnings.push_back(
            fmt::format("a CDI specification names '{}'{}, which is not there: sudo nvidia-ctk cdi generate "
                        "--output=/etc/cdi/nvidia.yaml",
                        gone.front(), gone.size() > 1 ? fmt::format(" and {} more", gone.size() - 1) : ""));
}

} // namespace

DeviceNode find_node(const std::string& path) {
    DeviceNode node;
    node.path = path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode)) return node;
    // Those of MIG are only ever read.
    const bool read_only = path.starts_with("/dev/nvidia-caps");
    node.usable = ::access(path.c_str(), read_only ? R_OK : R_OK | W_OK) == 0;
    if (const auto* group = ::getgrgid(status.st_gid); group != nullptr) node.group = group->gr_name;
    node.number = fmt::format("{}:{}", major(status.st_rdev), minor(status.st_rdev));
    node.sys_device = real_path("/sys/dev/char/" + node.number);
    if (node.sys_device.empty()) return node;
    node.subsystem = fs::path(real_path(fs::path(node.sys_device) / "subsystem")).filename().native();
    node.bus_device = pci_device(node.sys_device);
    return node;
}

GpuHost find_gpus() {
    GpuHost host;
    for (const auto& nodes : node_patterns)
        for (const auto& name : names_in(nodes.directory))
            if (base::glob_match(nodes.pattern, name))
                host.nodes.push_back(find_node(fmt::format("{}/{}", nodes.directory, name)));
    for (const auto& address : names_in("/proc/driver/nvidia/gpus"))
        if (auto device = real_path("/sys/bus/pci/devices/" + address); !device.empty())
            host.bus_devices.push_back(std::move(device));
    look_at_cdi(host);
    if (host.nodes.empty() && host.cdi.nodes.empty()) return host;
    host.libraries = find_libraries();
    for (const auto* place : places)
        if (fs::is_directory(place)) host.places.emplace_back(place);
    return host;
}

} // namespace scad::engine
