#pragma once

#include "base/context.h"
#include "project/document.h"
#include "project/problems.h"
#include "project/project.h"

#include <filesystem>
#include <string>

namespace scad::project {

// A project from its document (check_shape has looked at types and words already; what is of a wrong type is
// passed over here): defaults filled in, paths taken from `docs_repo` and looked at on the disk. Each value
// that cannot be is added to `problems`.
Project resolve(const Node& document, const std::filesystem::path& docs_repo, const std::string& name,
                const base::Context& context, Problems& problems);

} // namespace scad::project
