#pragma once

#include <string_view>

namespace scad::workspace {

// The snapshot as a POSIX shell script. Arguments: a repo's name and its base commit, again and again. Prints
// lines "<repo> TAB <key> TAB <value>".
std::string_view snapshot_script();

} // namespace scad::workspace
