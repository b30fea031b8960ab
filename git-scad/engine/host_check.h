#pragma once

#include "base/context.h"

#include <string>
#include <vector>

namespace scad::engine {

// One thing that this host can or cannot do, tried.
struct Check {
    std::string name; // "user namespaces"
    bool ok = false;
    bool needed = true; // false: only something optional is missing
    std::string detail; // version, means, or why not
    std::string remedy; // one command, or empty
};

// All that sandboxes and sessions need: not root, user namespaces (AppArmor's refusal told apart), overlay
// with userxattr, bubblewrap and its version, git and its version, seccomp, cgroups, the state directory's
// file system and free space, a whole sandbox started and stopped.
std::vector<Check> check_host(const base::Context& context);

} // namespace scad::engine
