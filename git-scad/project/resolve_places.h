#pragma once

#include "base/context.h"
#include "project/document.h"
#include "project/problems.h"
#include "project/project.h"

namespace scad::project {

// Fill in `project.repos` and `project.mounts` (after the repos) from the document: what of a project names
// places of the host. project.docs_repo is set.
void resolve_repos(const Node& document, const base::Context& context, Project& project, Problems& problems);
void resolve_mounts(const Node& document, const base::Context& context, Project& project, Problems& problems);

} // namespace scad::project
