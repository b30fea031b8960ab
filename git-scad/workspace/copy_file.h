#pragma once

#include <filesystem>

namespace scad::workspace {

// A new file with the content of a regular file and a modification time of its own, by reflink or inside the
// kernel where that can be (ioctl_ficlone(2), copy_file_range(2)). Neither path may lie where a session
// writes. Fatal when `to` exists.
void copy_regular(const std::filesystem::path& from, const std::filesystem::path& to);

} // namespace scad::workspace
