#pragma once

#include "base/context.h"
#include "project/project.h"

#include <string>
#include <vector>

namespace scad::project {

// A request, and the other requests that would cover it: who approved one of these has approved it too.
struct Wanted {
    std::string line;
    std::vector<std::string> covered_by;
};

// Everything that the project asks of the host beyond its own docs repo, sorted, each once; what it asks by
// its limits is told by limit_requests.h. Host paths are real paths (symbolic links resolved), and what other
// files ask for in the project's name is read from them.
std::vector<Wanted> wanted_requests(const Project& project, const base::Context& context);

} // namespace scad::project
