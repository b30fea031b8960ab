#include "commands/build.h"

#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/trusting.h"
#include "engine/engine.h"
#include "environment/bake.h"
#include "environment/store.h"
#include "project/discover.h"
#include "project/load.h"
#include "project/support.h"
#include "session/environment_of.h"
#include "session/start.h"
#include "session/url_repos.h"
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
    base::Table table(
        {{"ENVIRONMENT"}, {"PROJECT"}, {"BASE"}, {"SIZE", true}, {"BUILT"}, {"USED BY", false, true}});
    for (const auto& baked : environment::list(context.paths)) {
        std::vector<std::string> names;
        for (const auto& [id, name] : users) {
            if (id == baked.id) names.push_back(name);
        }
        table.add({{short_id(baked.id)},
                   {baked.project},
                   {baked.base},
                   {base::format_size(baked.size)},
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
    const auto in_use = [&] {
        std::set<std::string> ids;
        for (const auto& [id, name] : environment_users(store)) ids.insert(id);
        return ids;
    };
    const auto removed = environment::prune(context.paths, in_use,
                                            [&] { context.terminal.note("waiting for a build that runs"); });
    for (const auto& id : removed) context.terminal.note("removed environment " + short_id(id));
    if (removed.empty()) context.terminal.note("every environment is in use");
    return 0;
}

std::string seconds(std::chrono::milliseconds time) {
    if (time < std::chrono::minutes(1))
        return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
    return base::format_duration(std::chrono::duration_cast<std::chrono::seconds>(time));
}

environment::Progress progress_on(base::Terminal& terminal, std::size_t count) {
    const auto label = [count](std::size_t number, const environment::Step& step) {
        return fmt::format("[{}/{}] {}", number, count, base::one_line(step.title));
    };
    environment::Progress progress;
    progress.waits = [&] { terminal.note("waiting for another build of the project"); };
    progress.begins = [&, label](std::size_t number, const environment::Step& step) {
        terminal.progress(label(number, step));
    };
    progress.runs = [&, label](std::size_t number, const environment::Step& step, std::string_view line,
                               std::chrono::milliseconds time) {
        terminal.progress(fmt::format("{}  {}  {}", label(number, step), seconds(time), line));
    };
    progress.ended = [&, label](std::size_t number, const environment::Step& step, bool kept,
                                std::chrono::milliseconds time) {
        terminal.progress("");
        terminal.note(fmt::format("{}  {}", label(number, step), kept ? "kept" : seconds(time)));
    };
    return progress;
}

int build(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    if (options.list + options.prune + options.no_cache > 1)
        throw usage("--list, --prune and --no-cache exclude each other");
    if ((options.list || options.prune) && options.project)
        throw usage("--list and --prune are about the environments of all projects");
    if (options.list) return list(context);
    if (options.prune) return prune(context);
    const auto known = project::find_project(options.project, context);
    auto project = project::load(known.docs_repo, known.name, context);
    for (const auto& warning : project::warnings(project))
        context.terminal.warning(
            base::visible(fmt::format("{}:{}: {}", warning.place.file, warning.place.line, warning.message)));
    if (!build_project(context, project, options.no_cache))
        context.terminal.note(fmt::format("project '{}' is up to date", project.name));
    return 0;
}

// False: there was nothing to do.
bool build_environment(const base::Context& context, const project::Project& project,
                       const std::vector<workspace::Origin>& origins, const engine::Engine& engine,
                       bool anew) {
    auto& terminal = context.terminal;
    const auto sources = session::sources_of(origins, context.variables);
    const auto plan = session::environment_plan(context, project, sources);
    if (!anew && environment::find_baked(context.paths, plan)) return false;
    environment::BakeOptions options;
    options.renew = anew;
    options.limits = session::limits_of(project.limits);
    const auto baked = environment::bake(context.paths, plan, sources, engine, options,
                                         progress_on(terminal, plan.steps.size()));
    terminal.progress("");
    terminal.note(fmt::format("baked environment {} on base '{}'", short_id(baked.id), baked.base));
    return true;
}

} // namespace

bool build_project(const base::Context& context, project::Project& project, bool anew) {
    auto& terminal = context.terminal;
    ask_for_trust(context, project);
    project::require_supported(project);
    session::fetch_url_repos(context, project);
    const auto engine = engine::make_engine(context.settings.get("scad.engine").value_or("bubblewrap"));
    const auto workspace = workspace::make_workspace(
        workspace::choose_workspace(context.settings.get("scad.workspace").value_or(""), context.paths));
    std::vector<workspace::Origin> origins;
    for (const auto& repo : project.repos) {
        origins.push_back(
            workspace::inspect_origin(repo.name, repo.path, repo.base, context.variables, !repo.url.empty()));
        for (const auto& warning : origins.back().warnings)
            terminal.warning(base::visible(fmt::format("{}: {}", repo.name, warning)));
    }
    bool made = build_environment(context, project, origins, *engine, anew);
    for (const auto& origin : origins) {
        const auto key = workspace->tree_key(origin);
        if (key.empty() || workspace::is_whole(workspace::base_tree_at(context.paths, key))) continue;
        workspace::ensure_base_tree(context.paths, origin, *engine,
                                    [&](const std::string& line) { terminal.progress(line); });
        terminal.progress("");
        terminal.note(
            fmt::format("made the base tree of {} at {}", origin.name, short_id(origin.base_commit)));
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
