// What a sandbox gets of the host's graphics processors, from what was found of them.
#include "base/error.h"
#include "engine/devices.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace scad;
using namespace scad::engine;

namespace {

const Mount* find(const Devices& devices, const std::string& target) {
    const auto found = std::find_if(devices.mounts.begin(), devices.mounts.end(),
                                    [&](const Mount& mount) { return mount.target == target; });
    return found == devices.mounts.end() ? nullptr : &*found;
}

DeviceNode node(const std::string& path) {
    DeviceNode result;
    result.path = path;
    result.usable = true;
    result.group = "render";
    return result;
}

GpuHost with_processor() {
    GpuHost host;
    host.nodes = {node("/dev/dri/renderD128")};
    return host;
}

} // namespace

TEST_CASE("engine: what is no graphics processor gives nothing") {
    GpuHost host;
    CHECK(plan_gpus(host).nodes.empty());
    CHECK(gpu_lack(host).remedy.empty());
    host.nodes = {node("/dev/kfd"), node("/dev/nvidiactl")};
    host.places = {"/etc/vulkan"};
    CHECK(plan_gpus(host).mounts.empty());
    host.nodes.push_back(node("/dev/dri/renderD128"));
    host.nodes.back().usable = false;
    CHECK(plan_gpus(host).nodes.empty());
    CHECK(gpu_lack(host).reason == "you cannot open '/dev/dri/renderD128'");
    CHECK(gpu_lack(host).remedy == "sudo usermod -aG render $USER");
    host.nodes.back().group = "root";
    CHECK(gpu_lack(host).remedy == "sudo setfacl -m u:$USER:rw /dev/dri/renderD128");
    GpuHost nvidia;
    nvidia.bus_devices = {"/sys/devices/pci0000:00/0000:01:00.0"};
    CHECK(gpu_lack(nvidia).remedy == "sudo nvidia-modprobe -u -c=0");
}

TEST_CASE("engine: a processor's nodes and what /sys tells of them") {
    GpuHost host;
    host.nodes = {node("/dev/kfd"), node("/dev/dri/renderD128"), node("/dev/dri/renderD129")};
    host.nodes[0].number = "235:0";
    host.nodes[0].sys_device = "/sys/devices/virtual/kfd/kfd";
    host.nodes[0].subsystem = "kfd";
    host.nodes[1].number = "226:128";
    host.nodes[1].sys_device = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/renderD128";
    host.nodes[1].subsystem = "drm";
    host.nodes[1].bus_device = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";
    host.nodes[2].number = "226:129";
    host.nodes[2].sys_device = "/sys/devices/pci0000:00/0000:00:01.0/drm/renderD129";
    host.nodes[2].bus_device = "/sys/devices/pci0000:00/0000:00:01.0";
    const auto devices = plan_gpus(host);
    CHECK(devices.nodes ==
          std::vector<std::string>{"/dev/dri/renderD128", "/dev/dri/renderD129", "/dev/kfd"});
    REQUIRE(find(devices, "/dev/kfd") != nullptr);
    CHECK(find(devices, "/dev/kfd")->what == decltype(Mount::what)(Device{"/dev/kfd"}));
    CHECK(find(devices, "/sys/class/kfd/kfd") != nullptr);
    CHECK(find(devices, "/sys/devices/virtual/kfd/kfd") != nullptr);
    REQUIRE(find(devices, "/sys/dev/char/226:128") != nullptr);
    CHECK(find(devices, "/sys/dev/char/226:128")->what ==
          decltype(Mount::what)(Symlink{host.nodes[1].sys_device}));
    CHECK(find(devices, "/sys/bus/pci/devices/0000:01:00.0") != nullptr);
    // What lies in another directory that is shown needs no mount of its own, and could have none.
    CHECK(find(devices, "/sys/devices/pci0000:00/0000:00:01.0") != nullptr);
    CHECK(find(devices, host.nodes[1].bus_device) == nullptr);
}

TEST_CASE("engine: libraries of the driver") {
    CHECK(driver_libraries(
              "3 libs found in cache `/etc/ld.so.cache'\n"
              "\tlibcuda.so.1 (libc6,x86-64) => /opt/drv/libcuda.so.1\n"
              "\tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1\n"
              "\tlibGLX_nvidia.so.0 (libc6,x86-64, OS ABI: Linux 2.3.99) => /var/x/libGLX_nvidia.so.0\n") ==
          std::vector<std::string>{"/opt/drv/libcuda.so.1", "/var/x/libGLX_nvidia.so.0"});
    auto host = with_processor();
    host.libraries = {{"/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.550"},
                      {"/var/nvidia/libcuda.so.1", "/var/nvidia/libcuda.so.550"},
                      {"/usr/lib/libze_loader.so.1", "/srv/ze/libze_loader.so.1.2"},
                      {"/tmp/libOpenCL.so.1", "/tmp/libOpenCL.so.1"}};
    const auto devices = plan_gpus(host);
    CHECK(find(devices, "/lib/x86_64-linux-gnu/libcuda.so.1") == nullptr);
    REQUIRE(find(devices, "/var/nvidia/libcuda.so.1") != nullptr);
    CHECK(find(devices, "/var/nvidia/libcuda.so.1")->what ==
          decltype(Mount::what)(Bind{"/var/nvidia/libcuda.so.550", false}));
    CHECK(find(devices, "/var/nvidia/libcuda.so.550") != nullptr);
    CHECK(find(devices, "/srv/ze/libze_loader.so.1.2") != nullptr);
    CHECK(find(devices, "/tmp/libOpenCL.so.1") == nullptr); // the session's own place
}

TEST_CASE("engine: a CDI specification's mounts, links and variables") {
    GpuHost host;
    host.cdi.nodes = {{"/dev/x0", "/dev/x0"}, {"/etc/shadow", "/dev/x1"}};
    host.cdi.mounts = {{"/usr/bin/nvidia-smi", "/usr/bin/nvidia-smi", false},
                       {"/run/nvidia/driver/usr/lib/libcuda.so.550", "/usr/lib/libcuda.so.550", false},
                       {"/run/nvidia/driver/usr/bin/smi", "/usr/bin/smi", false},
                       {"/srv/firmware", "/var/lib/firmware", true},
                       {"/srv/evil", "/work/code/x", false},
                       {"/srv/evil", "/etc/passwd", false},
                       {"/srv/evil", "/var/lib/../../work", false}};
    host.cdi.variables = {{"NVIDIA_VISIBLE_DEVICES", "void"}};
    host.cdi.hooks = {{"createContainer",
                       "/usr/bin/nvidia-cdi-hook",
                       {"nvidia-cdi-hook", "create-symlinks", "--link",
                        "libcuda.so.550::/usr/lib/libcuda.so.1", "--link=a::/var/lib/there"}},
                      {"createContainer", "/usr/bin/nvidia-cdi-hook", {"nvidia-cdi-hook", "update-ldcache"}},
                      {"poststart", "/bin/evil", {}}};
    host.present = {"/usr/bin/nvidia-smi"};
    const auto devices = plan_gpus(host);
    CHECK(devices.nodes == std::vector<std::string>{"/dev/x0"});
    CHECK(find(devices, "/usr/bin/nvidia-smi") == nullptr);
    CHECK(find(devices, "/run/scad/driver/usr/lib/libcuda.so.550") != nullptr);
    CHECK(find(devices, "/run/scad/driver/usr/lib/libcuda.so.1") != nullptr);
    CHECK(find(devices, "/var/lib/there") != nullptr);
    REQUIRE(find(devices, "/var/lib/firmware") != nullptr);
    CHECK(std::holds_alternative<Overlay>(find(devices, "/var/lib/firmware")->what));
    for (const auto& mount : devices.mounts) {
        CHECK(mount.target != "/etc/passwd");
        CHECK(mount.target.find("work") == std::string::npos);
    }
    CHECK(devices.variables ==
          std::vector<std::pair<std::string, std::string>>{{"NVIDIA_VISIBLE_DEVICES", "void"},
                                                           {"LD_LIBRARY_PATH", "/run/scad/driver/usr/lib"},
                                                           {"PATH", "/run/scad/driver/usr/bin"}});
    CHECK(devices.warnings == std::vector<std::string>{"the CDI hook '/bin/evil' is not run"});
}

TEST_CASE("engine: CDI specifications as files") {
    const auto spec = parse_cdi(
        "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n"
        "- name: \"0\"\n  containerEdits:\n    deviceNodes:\n"
        "    - path: /dev/nvidia0\n      permissions: rw\n"
        "    - {path: /dev/a, hostPath: /dev/b, type: c, major: 1}\n"
        "- name: all\n  containerEdits: {deviceNodes: [{path: /dev/nvidia0}]}\n"
        "containerEdits:\n  env: [A=b=c, broken]\n",
        "/etc/cdi/nvidia.yaml");
    CHECK(spec.kind == "nvidia.com/gpu");
    REQUIRE(spec.devices.size() == 2);
    CHECK(spec.devices[0].edits.nodes ==
          std::vector<CdiNode>{{"/dev/nvidia0", "/dev/nvidia0"}, {"/dev/a", "/dev/b"}});
    CHECK(spec.edits.variables == std::vector<std::pair<std::string, std::string>>{{"A", "b=c"}});
    // "all" stands for the others, and what is no graphics processor is none.
    auto nic = spec;
    nic.kind = "vendor.com/nic";
    nic.devices[0].edits.nodes = {{"/dev/nic", "/dev/nic"}};
    auto edits = gpu_edits({nic, spec});
    CHECK(edits.nodes == std::vector<CdiNode>{{"/dev/nvidia0", "/dev/nvidia0"}});
    CHECK(edits.variables.size() == 1);
    // The same name again: the later file's.
    auto later = spec;
    later.devices = {{"all", {}}};
    CHECK(gpu_edits({spec, later}).nodes.empty());

    for (const char* text :
         {"", "a: b", "- 1", "{", "kind: x/gpu", "cdiVersion: 1\nkind: x/gpu\ndevices: {a: [}",
          "cdiVersion: 1\nkind: x/gpu\ncontainerEdits: {env: [[1]]}"})
        CHECK_THROWS_AS(parse_cdi(text, "/etc/cdi/x.yaml"), Error);
    for (const char* text : {"cdiVersion: 1\nkind: x/gpu", "cdiVersion: 1\nkind: x/gpu\ndevices: 3",
                             "cdiVersion: 1\nkind: x/gpu\ncontainerEdits: [1]",
                             "{\"cdiVersion\": \"1\", \"kind\": \"x/gpu\", \"devices\": []}"})
        CHECK_NOTHROW(parse_cdi(text, "/etc/cdi/x.yaml"));
}
