#pragma once

#include "base/variables.h"
#include "workspace/clone.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::workspace {

// Copies what a project includes of the host's working tree (files and directories that git ignores, by path
// from the repo's top) below `to`, a new directory of scad's own. No link is followed: one that leads to a
// place in the repo is copied as it is. What is tracked below a directory is left out, the session has it.
// Adds to the origin's warnings what is odd but no reason to stop. Fatal: a path that is not there, is
// tracked, lies below a link or in a git directory; a link that leads out of the repo; neither file,
// directory nor link.
void copy_included(Origin& origin, const std::vector<std::string>& paths, const std::filesystem::path& to,
                   const base::Variables& variables);

// Whether a link at `path` (from the repo's top) to `target` stays below the top, by its text. Pure.
bool stays_inside(const std::string& path, const std::string& target);

} // namespace scad::workspace
