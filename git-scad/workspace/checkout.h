#pragma once

#include "engine/engine.h"
#include "workspace/clone.h"

#include <filesystem>
#include <string>
#include <vector>

// git's work on files before a session has them, in throw-away sandboxes without network: what is checked out
// is as hostile as whoever wrote it, and no filter, hook or smudge of anyone runs on the host.
namespace scad::workspace {

// A sandbox over the host's programs with these mounts.
engine::SandboxSpec checkout_spec(std::vector<engine::Mount> mounts);

// Runs a program in such a sandbox, which is gone afterwards. Fatal, with the last lines that it wrote, when
// it fails or takes longer than half an hour.
void run_checkout(const engine::Engine& engine, const engine::SandboxSpec& spec,
                  std::vector<std::string> argv, const Origin& origin);

// The files `lock` and `empty` of a working copy's directory.
void make_small_files(const std::filesystem::path& directory);

// Brings the working copy that `mounts` show at /work/<origin.name> to the commit where its branch starts,
// lays over it what is to be laid over it, and leaves a valid index in its git directory.
void fill_working_copy(std::vector<engine::Mount> mounts, const Origin& origin, const engine::Engine& engine);

} // namespace scad::workspace
