#pragma once

#include <filesystem>

namespace scad::base {

// Writes all that is pending on the file system of `path` to the disk (syncfs(2)). Fatal when that fails.
void sync_file_system(const std::filesystem::path& path);

} // namespace scad::base
