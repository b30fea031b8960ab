#pragma once

#include "base/paths.h"
#include "base/variables.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::project {

// Places of the host that no session may write to, because the host reads or runs what lies there.
struct Protected {
    std::vector<std::filesystem::path> homes;  // home directories: never one itself nor what holds one
    std::vector<std::filesystem::path> places; // never one itself, what holds it, nor what lies in it
};

// Homes of passwd(5), the caller's; scad's state, cache and configuration; runtime directories; ~/.ssh,
// ~/.config and the directories on PATH. By real path.
Protected protected_places(const base::Paths& paths, const base::Variables& variables);

// Why `directory` (a real path) must not be mounted so that a session writes to it; empty: it may. Looks at
// the disk: what is protected, what holds or lies in a git repo, an .ssh directory or a socket is refused.
std::string writable_problem(const std::filesystem::path& directory, const Protected& protect);

} // namespace scad::project
