#pragma once

#include "engine/cdi.h"
#include "engine/sandbox_spec.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::engine {

struct WantedDevice {
    std::string path;   // inside: "/dev/kvm", "/dev/serial/by-id/…"
    std::string source; // the node that this leads to on the host
    bool operator==(const WantedDevice&) const = default;
};

// What a session wants of the host's devices.
struct DeviceRequest {
    bool gpu = false;
    std::vector<WantedDevice> devices;
};

// What of them a sandbox gets, with what they need beside their nodes.
struct Devices {
    std::vector<std::string> nodes; // inside; sorted
    std::vector<Mount> mounts;      // nodes, libraries of drivers, what of /sys tells of them
    std::vector<std::pair<std::string, std::string>> variables;
    std::vector<std::string> warnings; // what may not work, with what mends it
};

// A node in the host's /dev.
struct DeviceNode {
    std::string path;
    bool usable = false;    // the caller may open it
    std::string group;      // who may
    std::string number;     // "226:128"
    std::string sys_device; // its directory below /sys/devices; empty: none
    std::string subsystem;  // "drm"
    std::string bus_device; // the directory of the PCI device that it belongs to; empty: none
};

// A library that ldconfig(8) knows: where it says, and where that leads.
struct Library {
    std::string path, real_path;
};

// What this host has for graphics processors.
struct GpuHost {
    std::vector<DeviceNode> nodes;
    std::vector<Library> libraries;  // of graphics drivers
    std::vector<std::string> places; // directories, such as /etc/vulkan, that drivers and their users read
    std::vector<std::string> bus_devices; // of processors whose nodes do not tell them (NVIDIA's)
    CdiEdits cdi;                         // without what is not there or is a socket
    std::vector<std::string> present;     // targets in it at which the host has something too
    std::vector<std::string> warnings;    // of what was read
};

// Looks at one; without a number there is no such character device.
DeviceNode find_node(const std::string& path);
// What lets the caller open these. Pure.
std::string opening_command(const std::vector<DeviceNode>& closed);

// Looks at /dev, /sys, /proc/driver/nvidia, ldconfig(8) and the CDI specifications of this host.
GpuHost find_gpus();

// What of these a sandbox over the host's programs (host_root()) gets. No nodes: there is no graphics
// processor that the caller can use. Pure.
//
// A processor's display (/dev/dri/card*) is none of its parts: with it a program can take the screen.
Devices plan_gpus(const GpuHost& host);

// What keeps the caller from using a graphics processor here, and the command that mends it (or empty). Pure.
struct GpuLack {
    std::string reason, remedy;
};
GpuLack gpu_lack(const GpuHost& host);

// All that was asked for, or fatal, with what to do: no graphics processor, a device that is gone, leads
// elsewhere by now, or cannot be opened.
Devices find_devices(const DeviceRequest& request);

// The paths of libraries of graphics drivers in what `ldconfig -p` prints. Pure.
std::vector<std::string> driver_libraries(std::string_view ldconfig);

} // namespace scad::engine
