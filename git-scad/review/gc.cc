#include "review/gc.h"

#include "agent/program.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "environment/store.h"
#include "review/trash.h"
#include "session/gc_lock.h"
#include "session/host_remotes.h"
#include "session/job.h"
#include "session/plan.h"
#include "workspace/base_tree.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::review {
namespace {

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::string_view damaged_prefix = ".damaged-"; // workspace/base_tree.h puts these aside

constexpr std::int64_t nanoseconds = 1'000'000'000;

// Nanoseconds since the epoch; 0: it is not there.
std::int64_t changed_at(const std::filesystem::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return 0;
    return std::int64_t{status.st_mtim.tv_sec} * nanoseconds + status.st_mtim.tv_nsec;
}

std::vector<std::string> names_in(const std::filesystem::path& parent) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(parent, ignored))
        names.push_back(entry.path().filename().native());
    std::sort(names.begin(), names.end());
    return names;
}

// What sessions and the trash name. One that cannot be read names it is not known what.
struct Names {
    std::set<std::string> trees, environments, programs, live_trees;
    std::map<std::filesystem::path, session::SessionRepo> hosts; // host repos by their common directory
    std::set<std::string> sessions;
    bool complete = true;
};

void add_names(const session::Session& session, bool live, Names& names) {
    names.environments.insert(session.environment);
    for (const auto& repo : session.repos) {
        names.trees.insert(repo.tree);
        if (live) names.live_trees.insert(repo.tree);
        names.hosts.emplace(repo.common_dir, repo);
    }
    for (const auto& job : session::list_jobs(session, true)) {
        if (session::is_final(job.state)) continue;
        auto words = job.argv;
        words.insert(words.end(), job.path.begin(), job.path.end());
        names.programs.merge(programs_in(words));
    }
}

Names names_of(const session::Store& store) {
    Names names;
    for (const auto& entry : store.list()) {
        names.sessions.insert(entry.session.name);
        try {
            if (entry.session.repos.empty()) throw fatal("'{}' cannot be read", entry.session.name);
            add_names(entry.session, entry.state == session::State::live, names);
        } catch (const Error&) {
            names.complete = false;
        }
    }
    for (const auto& trashed : store.trash()) {
        names.sessions.insert(trashed.name);
        try {
            add_names(session::read_session(trashed.directory), false, names);
        } catch (const Error&) { // it was damaged before it was removed: undelete brings back what there is
        }
    }
    return names;
}

class Collection {
  public:
    Collection(const base::Context& context, const session::Store& store, const GcOptions& options)
        : context_(context), store_(store), paths_(store.paths()), options_(options) {}

    GcReport run() {
        sweep_trash(context_, store_, options_.dry_run, report_.collected, report_.kept);
        collect_temporaries();
        const std::function<void()> note = [this] {
            context_.terminal.note("waiting for another command that makes a session");
        };
        const auto lock = session::lock_for_gc(paths_, options_.wait ? note : std::function<void()>{});
        if (!lock) return std::move(report_);
        const Names names = names_of(store_);
        collect_pins(names);
        if (!names.complete) {
            report_.kept.emplace_back(
                "trees, environments and programs: a session cannot be read, and may "
                "stand on any of them (git scad session list)");
            return std::move(report_);
        }
        collect_trees(names);
        collect_environments(names);
        collect_programs(names);
        return std::move(report_);
    }

  private:
    void take(const std::string& what, const std::filesystem::path& path) {
        report_.collected.push_back({what, base::disk_usage(path)});
        if (!options_.dry_run) remove_unseen(path);
    }

    void collect_temporaries() {
        std::vector<std::filesystem::path> places = {paths_.sessions(), paths_.trash(), paths_.environments(),
                                                     paths_.agents()};
        for (const auto& repo : names_in(paths_.trees())) places.push_back(paths_.trees() / repo);
        for (const auto& place : places) {
            if (!std::filesystem::is_directory(place)) continue;
            if (options_.dry_run) continue; // whether their makers are gone is only known by locking them
            for (const auto& name : base::sweep_temporaries(place))
                report_.collected.push_back({fmt::format("remains of a killed command: {}", name), 0});
        }
    }

    void collect_trees(const Names& names) {
        std::vector<TreeFacts> trees;
        for (const auto& repo : names_in(paths_.trees())) {
            const auto parent = paths_.trees() / repo;
            for (const auto& name : names_in(parent)) {
                if (name.starts_with(damaged_prefix)) {
                    // .damaged-<commit+settings>-<random>: a live session may still stand on it.
                    const auto key =
                        name.substr(damaged_prefix.size(), name.rfind('-') - damaged_prefix.size());
                    if (!names.live_trees.contains(fmt::format("{}/{}", repo, key)))
                        take("damaged base tree " + name, parent / name);
                } else if (!name.starts_with('.')) {
                    trees.push_back({repo, name, changed_at(parent / name / "marker.json")});
                }
            }
        }
        for (const auto& tree : unnamed_trees(std::move(trees), names.trees))
            take(fmt::format("base tree {} of repo {}", tree.name.substr(0, 12), tree.repo),
                 paths_.trees() / tree.repo / tree.name);
    }

    void collect_environments(const Names& names) {
        // Baking takes long: what was baked lately may be wanted again although no session has it now.
        const auto oldest = base::unix_now() - keep_days(context_.settings) * day;
        std::set<std::string> in_use = names.environments;
        std::map<std::string, std::uint64_t> others;
        for (const auto& baked : environment::list(paths_)) {
            if (baked.baked_at > oldest) in_use.insert(baked.id);
            if (!in_use.contains(baked.id)) others.emplace(baked.id, baked.size);
        }
        std::vector<std::string> ids;
        if (options_.dry_run)
            for (const auto& [id, size] : others) ids.push_back(id);
        else // not while a build runs: nobody could start a session until it has ended
            ids = environment::prune(paths_, [&] { return in_use; }, {});
        for (const auto& id : ids) report_.collected.push_back({"environment " + id, others[id]});
    }

    void collect_programs(const Names& names) {
        const auto newest = agent::newest_programs(paths_.agents());
        if (!newest) return;
        for (const auto& id : names_in(paths_.agents())) {
            if (id.starts_with('.') || newest->contains(id) || names.programs.contains(id)) continue;
            take("old program of an agent " + id.substr(0, 12), paths_.agents() / id);
        }
    }

    void collect_pins(const Names& names) {
        for (const auto& [common_dir, repo] : names.hosts) {
            std::error_code error;
            if (!std::filesystem::is_directory(common_dir, error)) continue;
            for (const auto& name : session::pinned_sessions(common_dir, context_.variables)) {
                if (names.sessions.contains(name)) continue;
                const auto lock = store_.try_lock(name);
                if (!lock || store_.exists(name) || store_.in_trash(name)) continue; // being made
                report_.collected.push_back(
                    {fmt::format("pins of '{}', which is no session, in {}", name, common_dir.native()), 0});
                session::Session nobody;
                nobody.name = name;
                if (!options_.dry_run) session::drop_pins(nobody, repo, context_.variables);
            }
        }
    }

    const base::Context& context_;
    const session::Store& store_;
    const base::Paths& paths_;
    GcOptions options_;
    GcReport report_;
};

} // namespace

std::uint64_t GcReport::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& one : collected) sum += one.bytes;
    return sum;
}

std::vector<TreeFacts> unnamed_trees(std::vector<TreeFacts> trees, const std::set<std::string>& named) {
    std::map<std::string, std::int64_t> newest;
    for (const auto& tree : trees) {
        auto& time = newest[tree.repo];
        time = std::max(time, tree.made);
    }
    std::erase_if(trees, [&](const TreeFacts& tree) {
        return named.contains(fmt::format("{}/{}", tree.repo, tree.name)) || tree.made == newest[tree.repo];
    });
    return trees;
}

std::set<std::string> programs_in(const std::vector<std::string>& words) {
    const auto prefix = fmt::format("{}/", session::agents_path);
    std::set<std::string> ids;
    for (const auto& word : words) {
        if (!word.starts_with(prefix)) continue;
        const auto rest = word.substr(prefix.size());
        ids.insert(rest.substr(0, rest.find('/')));
    }
    return ids;
}

GcReport collect_garbage(const base::Context& context, const session::Store& store,
                         const GcOptions& options) {
    return Collection(context, store, options).run();
}

void collect_now_and_then(const base::Context& context) {
    if (!context.settings.get_bool("scad.autoGc", true)) return;
    const auto stamp = context.paths.state / "gc.stamp";
    const auto last = changed_at(stamp);
    if (last != 0 && base::unix_now() - last / nanoseconds < day) return;
    // Before it is started: many commands at once are to start one.
    base::replace_file(stamp, "", 0600, base::Durability::plain);
    if (last == 0) return; // the first command of all: there is nothing yet
    base::Command command;
    command.argv = {base::sibling_program("git-scad").native(), "session", "gc", "--auto", "--quiet"};
    command.directory = context.directory; // whose settings count
    command.out = base::Stream::null();
    command.err = base::Stream::null();
    command.new_session = true;
    base::start(command); // goes on by itself
}

} // namespace scad::review
