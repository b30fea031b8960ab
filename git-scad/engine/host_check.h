#pragma once

#include "base/context.h"

#include <filesystem>
#include <optional>
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

// All that sandboxes and sessions need, in the order in which one thing depends on another: not root, user
// namespaces, overlays, bubblewrap, git, seccomp, a whole sandbox with its limits and their means, where the
// state lies, what a logout does, graphics processors.
std::vector<Check> check_host(const base::Context& context);

// Whether an overlay with its upper layer below `state` cannot be mounted or written through: tried. False
// when it could not be tried, for want of user namespaces.
bool refuses_overlays(const std::filesystem::path& state);

// What tells why user namespaces were refused (sysctl(8)); values as the kernel writes them, empty: it has no
// such setting.
struct NamespaceSettings {
    std::string apparmor;                         // kernel.apparmor_restrict_unprivileged_userns
    std::string cloning;                          // kernel.unprivileged_userns_clone, of Debian's kernels
    std::string most;                             // user.max_user_namespaces
    std::optional<std::filesystem::path> profile; // that of AppArmor which scad's installation brings
};
// `failure` is what the one who tried said. Pure.
Check explain_namespaces(const std::string& failure, const NamespaceSettings& settings);

} // namespace scad::engine
