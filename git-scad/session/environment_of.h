#pragma once

#include "base/context.h"
#include "environment/plan.h"
#include "environment/sources.h"
#include "project/project.h"
#include "session/session.h"
#include "workspace/clone.h"

#include <filesystem>
#include <vector>

namespace scad::session {

// The repos as the baking reads them. `origins`: one for each repo of the project.
environment::Sources sources_of(const std::vector<workspace::Origin>& origins,
                                const base::Variables& variables);

// What the environment of the project is to be, at these base commits.
environment::Plan environment_plan(const base::Context& context, const project::Project& project,
                                   const environment::Sources& sources);

// Gives a session that is being made its environment: id, variables, parts. Whoever calls it holds
// environment::hold(). Fatal: it is not baked (`git scad build <project>`).
void take_environment(Session& session, const base::Context& context, const project::Project& project,
                      const std::vector<workspace::Origin>& origins);

// What of it the session has for itself: an upper layer over the virtual environment, in `directory`, which
// becomes the session's.
void prepare_environment(const Session& session, const std::filesystem::path& directory);

} // namespace scad::session
