#include "engine/devices.h"

#include "base/device.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <set>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

// Where files lie inside whose own place is one that the sandbox shows as the host has it.
constexpr std::string_view driver_place = "/run/scad/driver";

constexpr std::array driver_patterns = {
    // NVIDIA
    "libcuda.so*", "libcudadebugger.so*", "libnvcuvid.so*", "libnvoptix.so*", "libnvidia-*.so*",
    "lib*_nvidia.so*",
    // AMD
    "libamdhip64.so*", "libamd_comgr*.so*", "libhsa-runtime64.so*", "libhsakmt.so*", "libamdocl64.so*",
    "libdrm_amdgpu.so*",
    // Intel
    "libze_*.so*", "libigc*.so*", "libigd*.so*",
    // in front of any of them
    "libOpenCL.so*", "libvulkan.so*", "libGLdispatch.so*", "libEGL.so*", "libGLX.so*", "libdrm.so*",
    "libdxcore.so*"};

bool is_below(std::string_view path, std::string_view directory) {
    return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

// Whether something may be put there: not where the system or the session has its own.
bool is_free(const std::string& path) {
    constexpr std::array taken = {"/dev", "/proc",     "/work",       "/home/agent",
                                  "/tmp", "/run/scad", "/etc/passwd", "/etc/group"};
    if (path.size() < 2 || path.front() != '/' || path.back() == '/' ||
        fs::path(path).lexically_normal() != path)
        return false;
    return std::none_of(taken.begin(), taken.end(),
                        [&](const char* place) { return path == place || is_below(path, place); });
}

bool is_library(const std::string& path) {
    return fs::path(path).filename().native().find(".so") != std::string::npos;
}

// A node without which there is no processor. /dev/kfd is there without one.
bool is_processor(const std::string& path) {
    return base::glob_match("/dev/nvidia[0-9]*", path) || base::glob_match("/dev/dri/renderD*", path) ||
           path == "/dev/dxg";
}

// The words that follow `option` in a hook's arguments, as "--link a" or "--link=a".
std::vector<std::string> option_values(const std::vector<std::string>& arguments, const std::string& option) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == option && i + 1 < arguments.size())
            values.push_back(arguments[++i]);
        else if (arguments[i].starts_with(option + "="))
            values.push_back(arguments[i].substr(option.size() + 1));
    }
    return values;
}

class Planner {
  public:
    explicit Planner(const GpuHost& host) : host_(host) {}

    Devices plan() {
        for (const auto& node : host_.nodes)
            if (node.usable) add_node(node.path, node.path);
        for (const auto& node : host_.cdi.nodes) add_node(node.path, node.host_path);
        bool any = !host_.cdi.nodes.empty();
        for (const auto& node : devices_.nodes) any = any || is_processor(node);
        if (!any) return {};
        add_system();
        for (const auto& place : host_.places) add(place, Bind{place, false});
        for (const auto& library : host_.libraries) add_library(library);
        add_cdi();
        add_warnings();
        std::sort(devices_.nodes.begin(), devices_.nodes.end());
        return std::move(devices_);
    }

  private:
    template <class What> bool add(const std::string& target, What what) {
        if (!targets_.insert(target).second) return false;
        devices_.mounts.push_back({target, std::move(what)});
        return true;
    }

    void add_node(const std::string& path, const std::string& source) {
        if (is_below(path, "/dev") && add(path, Device{source})) devices_.nodes.push_back(path);
    }

    // Programs find out by /sys what a node belongs to, and libraries which processors there are.
    void add_system() {
        std::set<std::string> directories(host_.bus_devices.begin(), host_.bus_devices.end());
        for (const auto& node : host_.nodes) {
            if (!node.usable || node.sys_device.empty()) continue;
            directories.insert(node.bus_device.empty() ? node.sys_device : node.bus_device);
            add("/sys/dev/char/" + node.number, Symlink{node.sys_device});
            if (!node.subsystem.empty())
                add(fmt::format("/sys/class/{}/{}", node.subsystem,
                                fs::path(node.sys_device).filename().native()),
                    Symlink{node.sys_device});
            if (!node.bus_device.empty()) add_on_bus(node.bus_device);
        }
        for (const auto& device : host_.bus_devices) add_on_bus(device);
        // In order, so that what lies in another comes after it: it is shown with that one.
        std::string last;
        for (const auto& directory : directories) {
            if (!last.empty() && is_below(directory, last)) continue;
            last = directory;
            add(directory, Bind{directory, false});
        }
    }
    void add_on_bus(const std::string& device) {
        add("/sys/bus/pci/devices/" + fs::path(device).filename().native(), Symlink{device});
    }

    void add_library(const Library& library) {
        for (const auto& place : {library.path, library.real_path})
            if (!is_shown(place) && is_free(place)) add(place, Bind{library.real_path, false});
    }

    bool is_present(const std::string& target) const {
        return std::find(host_.present.begin(), host_.present.end(), target) != host_.present.end();
    }

    // Where `target` can be made. Nothing can be added to what the sandbox shows of the host.
    std::string place_for(const std::string& target) {
        auto place = is_shown(target) ? std::string(driver_place) + target : target;
        const auto directory = fs::path(place).parent_path();
        if (is_library(target))
            library_path_.insert(directory.native());
        else if (is_shown(target) && directory.filename() == "bin")
            program_path_.insert(directory.native());
        return place;
    }

    void add_cdi() {
        for (const auto& mount : host_.cdi.mounts) {
            if (!is_free(mount.container_path) ||
                (is_shown(mount.container_path) && is_present(mount.container_path)))
                continue;
            const auto place = place_for(mount.container_path);
            // A read-only overlay keeps sockets in it from being connected to.
            if (mount.directory)
                add(place, Overlay{.lowers = {mount.host_path}, .upper = {}, .work = {}, .git = {}});
            else
                add(place, Bind{mount.host_path, false});
        }
        for (const auto& hook : host_.cdi.hooks) add_hook(hook);
        for (const auto& variable : host_.cdi.variables) devices_.variables.push_back(variable);
        const auto join = [](const std::set<std::string>& set) {
            return base::join({set.begin(), set.end()}, ":");
        };
        if (!library_path_.empty()) devices_.variables.emplace_back("LD_LIBRARY_PATH", join(library_path_));
        if (!program_path_.empty()) devices_.variables.emplace_back("PATH", join(program_path_));
    }

    // Hooks are programs that change a container from outside. None is run: the links that they make are made
    // here, and the cache of the loader is the host's.
    void add_hook(const CdiHook& hook) {
        constexpr std::array needless = {"update-ldcache", "chmod", "enable-cuda-compat",
                                         "disable-device-node-modification"};
        const auto has = [&](const std::string& word) {
            return std::find(hook.arguments.begin(), hook.arguments.end(), word) != hook.arguments.end();
        };
        if (has("create-symlinks")) {
            for (const auto& value : option_values(hook.arguments, "--link")) {
                const auto colons = value.find("::");
                if (colons == std::string::npos) continue;
                const auto link = value.substr(colons + 2);
                if (is_free(link) && !(is_shown(link) && is_present(link)))
                    add(place_for(link), Symlink{value.substr(0, colons)});
            }
            return;
        }
        if (std::any_of(needless.begin(), needless.end(), has)) return;
        devices_.warnings.push_back(
            fmt::format("the CDI hook '{}' is not run",
                        base::join(hook.arguments.empty() ? std::vector{hook.path} : hook.arguments, " ")));
    }

    void add_warnings() {
        devices_.warnings.insert(devices_.warnings.end(), host_.warnings.begin(), host_.warnings.end());
        bool nvidia = false;
        for (const auto& node : devices_.nodes)
            nvidia = nvidia || base::glob_match("/dev/nvidia[0-9]*", node);
        if (nvidia && !targets_.contains("/dev/nvidia-uvm"))
            devices_.warnings.emplace_back(
                "there is no '/dev/nvidia-uvm', which CUDA needs: sudo nvidia-modprobe -u -c=0");
    }

    const GpuHost& host_;
    Devices devices_;
    std::set<std::string> targets_;
    std::set<std::string> library_path_, program_path_;
};

void add_wanted(const WantedDevice& wanted, Devices& devices) {
    if (const auto problem = base::device_problem(wanted.path); !problem.empty())
        throw fatal("the device '{}' cannot be given to a session: {}", wanted.path, problem)
            .with_hint("take it out of 'devices' in the project's file, or see `git scad doctor`");
    std::error_code error;
    const auto source = fs::canonical(wanted.path, error).native();
    if (source != wanted.source)
        throw fatal("the device '{}' leads to '{}' by now, not to '{}'", wanted.path, source, wanted.source);
    // What every sandbox has (/dev/null), or came with the graphics processors.
    constexpr std::array own = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    if (std::find(devices.nodes.begin(), devices.nodes.end(), wanted.path) != devices.nodes.end()) return;
    devices.nodes.push_back(wanted.path);
    if (std::find(own.begin(), own.end(), wanted.path) == own.end())
        devices.mounts.push_back({wanted.path, Device{source}});
}

} // namespace

Devices plan_gpus(const GpuHost& host) { return Planner(host).plan(); }

std::string opening_command(const std::vector<DeviceNode>& closed) {
    std::set<std::string> groups;
    for (const auto& node : closed)
        if (!node.group.empty() && node.group != "root") groups.insert(node.group);
    if (!groups.empty())
        return fmt::format("sudo usermod -aG {} $USER", base::join({groups.begin(), groups.end()}, ","));
    std::string command = "sudo setfacl -m u:$USER:rw";
    for (const auto& node : closed) command += fmt::format(" {}", node.path);
    return command;
}

GpuLack gpu_lack(const GpuHost& host) {
    std::vector<DeviceNode> closed;
    std::copy_if(host.nodes.begin(), host.nodes.end(), std::back_inserter(closed),
                 [](const DeviceNode& node) { return !node.usable && is_processor(node.path); });
    if (!closed.empty())
        return {fmt::format("you cannot open '{}'", closed.front().path), opening_command(closed)};
    if (!host.bus_devices.empty())
        return {"the NVIDIA driver has made no nodes in /dev", "sudo nvidia-modprobe -u -c=0"};
    return {"no graphics processor with a driver was found", ""};
}

Devices find_devices(const DeviceRequest& request) {
    Devices devices;
    if (request.gpu) {
        const auto host = find_gpus();
        devices = plan_gpus(host);
        if (devices.nodes.empty()) {
            const auto lack = gpu_lack(host);
            throw fatal("the project asks for a graphics processor (gpu = true): {}", lack.reason)
                .with_hint(
                    "{}",
                    lack.remedy.empty()
                        ? "set gpu = false in the project's file, or in <project>.local.toml for this machine"
                        : lack.remedy);
        }
    }
    for (const auto& wanted : request.devices) add_wanted(wanted, devices);
    std::sort(devices.nodes.begin(), devices.nodes.end());
    return devices;
}

std::vector<std::string> driver_libraries(std::string_view ldconfig) {
    std::set<std::string> paths;
    for (const auto& line : base::lines(ldconfig)) {
        //	libcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1
        const auto arrow = line.find(" => ");
        if (arrow == std::string::npos) continue;
        const auto name = std::string(base::trim(line.substr(0, line.find(" ("))));
        const auto is_driver = [&](const char* pattern) { return base::glob_match(pattern, name); };
        if (std::any_of(driver_patterns.begin(), driver_patterns.end(), is_driver))
            paths.insert(std::string(base::trim(line.substr(arrow + 4))));
    }
    return {paths.begin(), paths.end()};
}

} // namespace scad::engine
