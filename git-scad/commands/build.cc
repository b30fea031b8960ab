#include "commands/build.h"

#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/trusting.h"
#include "engine/engine.h"
#include "environment/plan.h"
#include "environment/store.h"
#include "project/discover.h"
#include "project/load.h"
#include "project/support.h"
#include "workspace/base_tree.h"
#include "workspace/clone.h"
#include "workspace/workspace.h"

#include <fmt/format.h>
#include <memory>
#include <set>

namespace scad::commands {
namespace {

struct Options {
    std::optional<std::string> project;
    bool list = false;
    bool prune = false;
    bool no_cache = false;
};

// The sessions that name each environment, those in the trash too: they can come back.
std::vector<std::pair<std::string, std::string>> environment_users(const session::Store& store) {
    std::vector<std::pair<std::string, std::string>> users;
    for (const auto& entry : store.list()) users.emplace_back(entry.session.environment, entry.session.name);
    for (const auto& trashed : store.trash()) {
        try {
            const auto session = session::read_session(trashed.directory);
            users.emplace_back(session.environment, session.name + " (removed)");
        } catch (const Error&) { // what cannot be read names nothing
        }
    }
    return users;
}

int list(const base::Context& context) {
    const auto store = open_swept_store(context);
    const auto users = environment_users(store);
    base::Table table({{"ENVIRONMENT"}, {"BASE"}, {"BUILT"}, {"USED BY", false, true}});
    for (const auto& baked : environment::list(context.paths)) {
        std::vector<std::string> names;
        for (const auto& [id, name] : users) {
            if (id == baked.id) names.push_back(name);
        }
        table.add({{short_id(baked.id)},
                   {baked.base},
                   {base::format_age(baked.baked_at, base::unix_now())},
                   {base::join(names, ", ")}});
    }
    if (table.empty())
        context.terminal.note("no environment has been built");
    else
        context.terminal.write(table.render(context.terminal, table_width(context.terminal)));
    return 0;
}

int prune(const base::Context& context) {
    const auto store = open_swept_store(context);
    std::set<std::string> in_use;
    for (const auto& [id, name] : environment_users(store)) in_use.insert(id);
    const auto removed = environment::prune(context.paths, in_use);
    for (const auto& id : removed) context.terminal.note("removed environment " + short_id(id));
    if (removed.empty()) context.terminal.note("every environment is in use");
    return 0;
}

int build(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    if (options.list && options.prune) throw usage("--list and --prune exclude each other");
    if (options.list) return list(context);
    if (options.prune) return prune(context);
    if (options.no_cache)
        throw fatal(
            "--no-cache is not in this build yet: an environment on base 'host' has nothing that is cached");
    const auto known = project::find_project(options.project, context);
    const auto project = project::load(known.docs_repo, known.name, context);
    for (const auto& warning : project::warnings(project))
        context.terminal.warning(
            base::visible(fmt::format("{}:{}: {}", warning.place.file, warning.place.line, warning.message)));
    if (!build_project(context, project))
        context.terminal.note(fmt::format("project '{}' is up to date", project.name));
    return 0;
}

} // namespace

bool build_project(const base::Context& context, const project::Project& project) {
    auto& terminal = context.terminal;
    ask_for_trust(context, project);
    project::require_supported(project);
    bool made = false;
    const auto plan = environment::plan_environment(project);
    if (!environment::is_baked(context.paths, plan)) {
        environment::bake(context.paths, plan, [&](std::string_view step) { terminal.progress(step); });
        terminal.progress("");
        terminal.note(fmt::format("baked environment {} on base '{}'", short_id(plan.id), plan.base));
        made = true;
    }
    std::unique_ptr<engine::Engine> engine;
    const auto workspace = workspace::make_workspace(
        workspace::choose_workspace(context.settings.get("scad.workspace").value_or(""), context.paths));
    for (const auto& repo : project.repos) {
        const auto origin = workspace::inspect_origin(repo.name, repo.path, repo.base, context.variables);
        for (const auto& warning : origin.warnings)
            terminal.warning(base::visible(fmt::format("{}: {}", repo.name, warning)));
        if (workspace::is_whole(workspace::base_tree_at(context.paths, workspace->tree_key(origin))))
            continue;
        if (!engine) engine = engine::make_engine(context.settings.get("scad.engine").value_or("bubblewrap"));
        workspace::ensure_base_tree(context.paths, origin, *engine,
                                    [&](const std::string& line) { terminal.progress(line); });
        terminal.progress("");
        terminal.note(fmt::format("made the base tree of {} at {}", repo.name, short_id(origin.base_commit)));
        made = true;
    }
    return made;
}

Action set_up_build(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "a project's name; by default the one you stand in");
    add_flag(app, "--list", options->list, "list the environments that were built");
    add_flag(app, "--prune", options->prune, "remove the environments that no session uses");
    add_flag(app, "--no-cache", options->no_cache, "take nothing from an earlier build");
    return [options](Invocation& invocation) { return build(invocation, *options); };
}

} // namespace scad::commands
