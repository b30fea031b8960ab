#include "base/error.h"
#include "base/repository.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "project/discover.h"
#include "project/load.h"
#include "session/host_remotes.h"
#include "session/url_repos.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <set>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    bool all = false;
    bool dry_run = false;
};

// The host repos in which sessions may have left refs: those of every known project and of every session
// there is or was, by their common directory, and the one that the user stands in.
std::set<std::filesystem::path> host_repos(const base::Context& context, const session::Store& store) {
    std::set<std::filesystem::path> repos;
    const auto add_path = [&](const std::filesystem::path& path) {
        try {
            if (const auto repo = base::find_host_repo(path, context.variables))
                repos.insert(repo->common_dir);
        } catch (const Error&) { // one that git refuses has nothing of ours
        }
    };
    const auto add_session = [&](const session::Session& session) {
        std::error_code error;
        for (const auto& repo : session.repos) {
            if (std::filesystem::exists(repo.common_dir, error)) repos.insert(repo.common_dir);
        }
    };
    for (const auto& entry : store.list()) add_session(entry.session);
    for (const auto& trashed : store.trash()) {
        try {
            add_session(session::read_session(trashed.directory));
        } catch (const Error&) { // what cannot be read names no repo
        }
    }
    for (const auto& known : project::known_projects(context)) {
        try {
            for (const auto& repo : project::load(known.docs_repo, known.name, context).repos)
                add_path(repo.url.empty() ? repo.path : session::url_repo_path(context.paths, repo.url));
        } catch (const Error&) { // a project file with errors
        }
    }
    add_path(context.directory);
    return repos;
}

// The sessions that have refs in a host repo.
std::set<std::string> sessions_in(const std::filesystem::path& common_dir, const base::Variables& variables) {
    std::set<std::string> names;
    const base::Repository repository(common_dir, variables);
    for (const std::string prefix : {"refs/remotes/scad/", "refs/scad-session/"}) {
        for (const auto& ref : repository.refs(prefix))
            names.insert(ref.name.substr(prefix.size(), ref.name.find('/', prefix.size()) - prefix.size()));
    }
    return names;
}

void drop(const std::string& name, const std::filesystem::path& common_dir, const session::Store& store,
          const base::Variables& variables) {
    session::remove_refs(name, common_dir, variables);
    if (store.exists(name) || store.in_trash(name)) return;
    // One that could not be read when it was removed has left its remote as well.
    session::Session gone;
    gone.name = name;
    session::SessionRepo repo;
    repo.host = common_dir;
    repo.common_dir = common_dir;
    session::remove_remote(gone, repo, variables);
}

int prune(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto& terminal = context.terminal;
    const auto wanted = parse_names(options.sessions);
    if (wanted.empty() == !options.all)
        throw usage("give the sessions whose refs are to go, or --all for every removed one");
    const auto store = open_swept_store(context);
    for (const auto& name : wanted) {
        if (store.exists(name))
            throw fatal("session '{}' is not removed", name).with_hint("git scad session rm {}", name);
    }
    std::set<std::string> dropped;
    for (const auto& common_dir : host_repos(context, store)) {
        for (const auto& name : sessions_in(common_dir, context.variables)) {
            const bool named = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
            // What can still be brought back keeps its refs unless it is named.
            if (!named && (!options.all || store.exists(name) || store.in_trash(name))) continue;
            if (!options.dry_run) drop(name, common_dir, store, context.variables);
            terminal.note(base::visible(fmt::format("{} the refs of '{}' in {}",
                                                    options.dry_run ? "would drop" : "dropped", name,
                                                    common_dir.string())));
            dropped.insert(name);
        }
    }
    int status = 0;
    for (const auto& name : wanted) {
        if (dropped.contains(name)) continue;
        terminal.error(base::render_error(no("no refs of a session '{}' in any repo that is known", name)));
        status = 1;
    }
    if (options.all && dropped.empty()) terminal.note("nothing to drop");
    return status;
}

} // namespace

Action set_up_code_prune(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::any, "names of removed sessions");
    add_flag(app, "--all", options->all, "every session that is neither there nor in the trash");
    add_flag(app, "-n,--dry-run", options->dry_run, "only say what would be dropped");
    return [options](Invocation& invocation) { return prune(invocation, *options); };
}

} // namespace scad::commands
