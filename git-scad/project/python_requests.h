#pragma once

#include "base/variables.h"
#include "project/project.h"

#include <string>
#include <vector>

namespace scad::project {

// What requirement files (with those that they name by -r and -c), pyproject.toml and uv.lock ask for in the
// project's name, as the commits have them that sessions start from: a line for each requirement and option,
// so that only what is new is shown. What cannot be told apart so stands by a hash of its content.
std::vector<std::string> python_requests(const Project& project, const base::Variables& variables);

} // namespace scad::project
