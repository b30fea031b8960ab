#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Specifications of the Container Device Interface (github.com/cncf-tags/container-device-interface,
// SPEC.md): what a device needs inside of a container, as its vendor's tools write it below /etc/cdi and
// /var/run/cdi.
namespace scad::engine {

struct CdiNode {
    std::string path; // inside
    std::string host_path;
    bool operator==(const CdiNode&) const = default;
};

struct CdiMount {
    std::string host_path, container_path;
    bool directory = false; // the source is one; a specification does not say, whoever looks does
    bool operator==(const CdiMount&) const = default;
};

struct CdiHook {
    std::string name;                   // when: "createContainer"
    std::string path;                   // the program
    std::vector<std::string> arguments; // with argv[0]
    bool operator==(const CdiHook&) const = default;
};

struct CdiEdits {
    std::vector<std::pair<std::string, std::string>> variables;
    std::vector<CdiNode> nodes;
    std::vector<CdiMount> mounts;
    std::vector<CdiHook> hooks;
    bool operator==(const CdiEdits&) const = default;
};

struct CdiDevice {
    std::string name; // "0", "all"
    CdiEdits edits;
    bool operator==(const CdiDevice&) const = default;
};

struct CdiSpec {
    std::filesystem::path file;
    std::string kind; // "nvidia.com/gpu"
    CdiEdits edits;   // whichever of its devices is taken
    std::vector<CdiDevice> devices;
    bool operator==(const CdiSpec&) const = default;
};

// One specification, YAML or JSON (which is YAML too). Fatal, with the file's name and line, for what is no
// specification. Keys that mean nothing here (permissions, ids, annotations) are passed over. Pure.
CdiSpec parse_cdi(const std::string& text, const std::filesystem::path& file);

// All files *.json and *.yaml of these directories, which come in the order of their precedence, the
// strongest last. One that cannot be read is told in `problems` and left out: it may be that of another
// device.
std::vector<CdiSpec> read_cdi(const std::vector<std::filesystem::path>& directories,
                              std::vector<std::string>& problems);

// What graphics processors need: of each kind "<vendor>/gpu" the device "all", or each of them where there is
// none of that name. Of two devices with the same name that of the later specification counts. Pure.
CdiEdits gpu_edits(const std::vector<CdiSpec>& specs);

} // namespace scad::engine
