#pragma once

#include "base/context.h"
#include "engine/host_check.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace scad::commands {

// A directory of the caller's PATH with the programs in it that a session over the host's programs does not
// have.
struct HiddenPrograms {
    std::string directory;          // as on PATH
    std::vector<std::string> names; // sorted
    bool operator==(const HiddenPrograms&) const = default;
};

// In the order of PATH. A program counts where a shell would find it first, and not when a later directory
// has one of that name which sessions see. `passed_over`: names that do not count.
std::vector<HiddenPrograms> find_hidden_programs(const std::string& path,
                                                 const std::set<std::string>& passed_over);

// What to say of it, with the line of the project file that makes the programs seen. Pure.
engine::Check explain_hidden(const HiddenPrograms& hidden, const std::filesystem::path& home);

// All of that, but for scad itself and the agents, which sessions get without being told; one check that says
// so when there are none.
std::vector<engine::Check> check_programs(const base::Context& context);

} // namespace scad::commands
