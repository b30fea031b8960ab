#pragma once

#include <filesystem>

// Room on the disk that a live session sets aside, so that how it ended can be recorded, and the session
// resumed to tidy up, when it has filled the disk.
namespace scad::session {

// Sets it aside in the session's directory, when it is not there yet and the file system has plenty of room.
// Without it all goes on.
void keep_spare_room(const std::filesystem::path& session_directory) noexcept;

// Gives it up when the file system is nearly full.
void use_spare_room(const std::filesystem::path& session_directory) noexcept;

} // namespace scad::session
