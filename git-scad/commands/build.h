#pragma once

#include "base/context.h"
#include "project/project.h"

namespace scad::commands {

// Makes what a project's sessions stand on and that is not there yet: the environment and the base tree of
// each repo, with progress on stderr; `anew`: an environment without anything of an earlier build. False: all
// was up to date. Error::no when the project is not trusted; fatal when it asks for what this build does not
// have.
bool build_project(const base::Context& context, project::Project& project, bool anew = false);

} // namespace scad::commands
