#pragma once

#include "engine/host_check.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::engine {

// Of a file system by the f_type of statfs(2): "ext4", "nfs", or its number.
std::string file_system_name(long type);
bool is_network_file_system(long type); // also those of user space (sshfs), which may be anything

// Where the state lies, whether a lock taken there keeps another process out, and the space that is left.
std::vector<Check> check_state(const std::filesystem::path& state);

// Fatal when `state` lies on a network file system on which a lock does not keep another process of this host
// out. On a local one nothing is tried. `state` is made when it is missing.
void require_locks(const std::filesystem::path& state);

} // namespace scad::engine
