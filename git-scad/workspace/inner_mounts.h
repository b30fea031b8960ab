#pragma once

#include "engine/sandbox_spec.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::workspace {

// An empty file in the directory of each working copy.
inline constexpr const char* empty_file = "empty";

// The object directories that repo `name` borrows from, read-only at inner_objects(). One that itself has
// alternates gets `empty` (an empty file) in place of that list: the directories in it are mounted and listed
// flat, and git would complain about host paths that do not exist inside.
std::vector<engine::Mount> object_mounts(const std::string& name,
                                         const std::vector<std::filesystem::path>& objects,
                                         const std::filesystem::path& empty);

} // namespace scad::workspace
