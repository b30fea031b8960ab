#pragma once

#include "engine/init/stage_plan.h"
#include "engine/sandbox_spec.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::engine {

// What only the moment of starting knows.
struct LaunchFacts {
    std::filesystem::path bwrap;           // absolute
    std::filesystem::path init;            // scad-init on the host
    int channel_fd = -1;                   // scad-init's end of the control channel
    int status_fd = -1;                    // where bubblewrap writes its JSON
    int filter_fd = -1;                    // the seccomp program
    int arguments_fd = -1;                 // where bubblewrap reads its arguments
    int watch_fd = -1;                     // inotify, told of the end of overlays; -1: none
    int wait_fd = -1;                      // the stage goes on when this is readable; -1: at once
    std::vector<int> file_fds;             // one for each File of the specification, in order
    std::vector<std::string> masked_files; // of /proc, those that this kernel has
    std::vector<std::string> masked_directories;
};

struct Launch {
    std::vector<stage::Operation> stage; // what the stage makes first; the last one becomes bubblewrap
    std::vector<std::string> arguments;  // bubblewrap's own, for --args
};

// What of /proc is covered: it tells of the machine or its other users, or reaches drivers.
struct ProcMasks {
    std::vector<std::string> files;
    std::vector<std::string> directories;
};
ProcMasks proc_masks();

// The sandbox as operations and arguments (bwrap(1)). Pure. Fatal for a specification that cannot be done
// safely: a target that is not absolute and normal, stands twice, or lies inside a mount that a session can
// write (there a link planted by it would be followed). Optional mounts are taken as present: drop those
// whose source is missing first.
Launch plan_launch(const SandboxSpec& spec, const LaunchFacts& facts);

} // namespace scad::engine
