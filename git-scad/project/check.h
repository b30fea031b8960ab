#pragma once

#include "base/context.h"
#include "project/problems.h"
#include "project/project.h"

#include <filesystem>
#include <optional>
#include <string>

namespace scad::project {

struct Checked {
    std::optional<Project> project; // none: there are problems
    Problems problems;
};

// load() without the throwing, for whoever wants the problems themselves. Fatal: no such file, not readable.
Checked check(const std::filesystem::path& docs_repo, const std::string& name, const base::Context& context);

} // namespace scad::project
