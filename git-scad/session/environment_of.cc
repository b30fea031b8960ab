#include "session/environment_of.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "environment/store.h"

#include <fcntl.h>

namespace scad::session {

environment::Sources sources_of(const std::vector<workspace::Origin>& origins,
                                const base::Variables& variables) {
    std::vector<environment::RepoAt> repos;
    repos.reserve(origins.size());
    for (const workspace::Origin& origin : origins)
        repos.push_back({origin.name,
                         origin.host.worktree.empty() ? origin.host.git_dir : origin.host.worktree,
                         origin.base_commit});
    return {std::move(repos), variables};
}

environment::Plan environment_plan(const base::Context& context, const project::Project& project,
                                   const environment::Sources& sources) {
    return environment::plan_environment(project,
                                         environment::gather_facts(project, sources, context.variables));
}

void take_environment(Session& session, const base::Context& context, const project::Project& project,
                      const std::vector<workspace::Origin>& origins) {
    const auto plan = environment_plan(context, project, sources_of(origins, context.variables));
    const auto baked = environment::find_baked(context.paths, plan);
    if (!baked)
        throw fatal("the environment of project '{}' is not built", project.name)
            .with_hint("git scad build {}", base::shell_quote(project.name));
    // Both are upper layers of overlays.
    if (session.workspace == "copy" && (!baked->parts.venv.empty() || !baked->parts.work.empty()))
        throw fatal("the environment of project '{}' needs overlays, which cannot be mounted in '{}'",
                    project.name, context.paths.sessions().native())
            .with_hint("git config --global scad.stateDir <a directory on a local file system>");
    session.environment = baked->id;
    session.variables = baked->variables;
    session.parts = baked->parts;
}

void prepare_environment(const Session& session, const std::filesystem::path& directory) {
    if (session.parts.venv.empty()) return;
    for (const char* part : {"upper", "work"}) base::make_directories(directory / "venv" / part, 0755);
    base::open_file(directory / "venv" / "lock", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
}

} // namespace scad::session
