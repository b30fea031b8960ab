#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace scad::base {

struct CopyLimits {
    std::uint64_t bytes = 0, files = 0; // at most; directories and links count as files
};

struct CopyResult {
    std::uint64_t bytes = 0, files = 0;
    std::uint64_t left_out = 0; // links that lead out, sockets and the like, what cannot be read
    bool too_large = false;     // past the limits: nothing was copied
};

// Copies a host file or directory to `target`, which does not exist, in a directory that nobody else writes.
// `source` is opened as it stands, without following any symbolic link in any part of it: a real path. Below
// it, relative links that stay inside are copied as links, all others are left out and counted. The copies
// are private (0600, 0700); a program stays one. `skip` tells, by the path from `source`, what is passed over
// without a word. Fatal: `source` is a link, has gone, or cannot be read; `target` cannot be written.
CopyResult copy_files(const std::filesystem::path& source, const std::filesystem::path& target,
                      const CopyLimits& limits,
                      const std::function<bool(const std::filesystem::path& inner)>& skip);

} // namespace scad::base
