#pragma once

#include "engine/sandbox_spec.h"
#include "environment/layers.h"

#include <optional>
#include <vector>

namespace scad::environment {

// Directories of tools, read-only at the same path. Sockets and FIFOs in them are dead.
std::vector<engine::Mount> tool_mounts(const std::vector<Tool>& tools);

// The lower layers of /opt/scad, topmost first: the environment's, over places for what scad mounts there
// itself.
std::vector<std::filesystem::path> own_lowers(const base::Paths& paths, const Parts& parts);

// What a session sees of an environment: tools, /opt/scad read-only, and on it the virtual environment,
// writable by the upper layer in `venv` (a directory with upper, work and lock). Pure.
std::vector<engine::Mount> environment_mounts(const base::Paths& paths, const Parts& parts,
                                              const std::filesystem::path& venv);

// What lies under the base tree of a repo, topmost first: files of the repo itself come before it.
std::vector<std::filesystem::path> work_lowers(const base::Paths& paths, const Parts& parts,
                                               const std::string& repo);

// Makes the directories that own_lowers() counts on.
void prepare_own_lowers(const base::Paths& paths);

} // namespace scad::environment
