#pragma once

#include "base/context.h"
#include "project/project.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::project {

struct Known {
    std::string name;
    std::filesystem::path docs_repo;
    std::filesystem::path file;
};

// All projects that can be named from here: of every docs repo in the setting scad.docs (paths, ~ allowed,
// several), and of the repo that the user stands in or below when it has .scad/. Sorted by name; the repo one
// stands in wins over scad.docs when both have the name.
std::vector<Known> known_projects(const base::Context& context);

// The one named, or with none: the only project of the repo that one stands in or of the repo whose working
// tree one stands in (a repo of exactly one known project). Fatal: unknown (nearest names, `git scad config
// list`), none known (`git scad init`), several fit (their names).
Known find_project(const std::optional<std::string>& name, const base::Context& context);

} // namespace scad::project
