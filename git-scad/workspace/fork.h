#pragma once

#include "engine/runner.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

// Copies of what a session wrote. The host never follows a path in it: the copying is done in a throw-away
// sandbox that sees the layers read-only and can write the copies alone.
namespace scad::workspace {

// A directory that a session can write, and the empty ones that get a copy of it.
struct LayerCopy {
    std::filesystem::path from;
    std::vector<std::filesystem::path> to; // as many for every layer
};

// The sandbox: layer i at /f/<i>, its copies at /t/<n>/<i>. Pure.
engine::SandboxSpec copy_spec(const std::string& name, const std::vector<LayerCopy>& layers,
                              std::vector<engine::Mount> host_root);

// Copies all of it: files by reference where the file system can, with modes, times, hard links, holes,
// extended attributes and an overlay's whiteouts (cp(1)). Fatal with cp's own words when something could not
// be copied.
void copy_layers(engine::Runner& runner, std::size_t layers, std::size_t copies);

// The git directory that is copy n of layer i: what a stopped or copied git process held locked is free, and
// its branch `from` is called `to` (git-branch(1), -m; its history stays).
struct BranchName {
    std::size_t copy = 0;
    std::size_t layer = 0;
    std::string from, to;
};
// What each is called then, in the same order: `from` where the session has a branch `to` of its own already.
std::vector<std::string> name_branches(engine::Runner& runner, const std::vector<BranchName>& wanted);

} // namespace scad::workspace
