#include "session/fork.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/runner.h"
#include "session/client.h"
#include "session/environment_of.h"
#include "session/gc_lock.h"
#include "session/host_remotes.h"
#include "session/job.h"
#include "session/mount_layers.h"
#include "workspace/copy_file.h"
#include "workspace/fork.h"
#include "workspace/inner_mounts.h"
#include "workspace/workspace.h"

#include <fmt/format.h>
#include <memory>
#include <optional>

namespace scad::session {
namespace {

// One new session while it is made.
struct Copy {
    Session session;
    base::FileLock name;
    base::WholeDirectory directory;
};

// What a session wrote, below its directory. The git directory of each repo comes first, in their order.
std::vector<std::filesystem::path> layers_of(const Session& session, const workspace::Workspace& workspace) {
    std::vector<std::filesystem::path> git;
    std::vector<std::filesystem::path> others = {"home", "tmp"};
    for (const auto& repo : session.repos)
        for (const auto& layer : workspace.layers()) {
            const auto path = std::filesystem::path("repos") / repo.name / layer;
            (layer == "git" ? git : others).push_back(path);
        }
    if (!session.parts.venv.empty()) others.emplace_back("venv/upper");
    for (const auto& mount : session.mounts)
        if (!mount.layer.empty()) others.push_back(std::filesystem::path(mount.layer) / "upper");
    git.insert(git.end(), others.begin(), others.end());
    return git;
}

std::vector<Copy> begin_copies(const base::Context& context, const Store& store, const Session& source,
                               const WantedName& name, std::size_t count,
                               const workspace::Workspace& workspace) {
    std::vector<Copy> copies;
    copies.reserve(count);
    for (std::size_t n = 0; n < count; ++n) {
        Session session = source;
        session.created = base::unix_now();
        session.forked_from = source.name;
        auto lock = take_name(context, store, session, name);
        base::WholeDirectory directory(context.paths.sessions());
        for (const auto& repo : session.repos) {
            const auto place = directory.path() / "repos" / repo.name;
            base::make_directories(place);
            workspace.make_empty(place);
        }
        for (const auto* part : {"home", "tmp", "jobs"}) base::make_directories(directory.path() / part);
        make_mount_layers(session, directory.path());
        prepare_environment(session, directory.path());
        copies.push_back({std::move(session), std::move(lock), std::move(directory)});
    }
    return copies;
}

// Holds a session still: frozen when it is live, else by the locks that a sandbox on it would take.
class Stillness {
  public:
    explicit Stillness(const Session& session) {
        if (base::is_held(session.directory / "alive")) {
            freeze_.emplace(session);
            return;
        }
        for (const auto& repo : session.repos)
            hold(session.repo_directory(repo.name) / "lock",
                 fmt::format("workspace of repo '{}'", repo.name));
        for (const auto& mount : session.mounts)
            if (!mount.layer.empty())
                hold(session.directory / mount.layer / "lock",
                     fmt::format("changed part of '{}'", mount.target));
        if (!session.parts.venv.empty())
            hold(session.directory / "venv" / "lock", "Python environment of the session");
    }

    void end() {
        if (freeze_) freeze_->thaw();
        freeze_.reset();
        locks_.clear();
    }

  private:
    void hold(const std::filesystem::path& path, const std::string& what) {
        auto lock = base::FileLock::try_acquire(path);
        if (!lock)
            throw fatal("the {} is in use by another command", what).with_hint("run the command again");
        locks_.push_back(std::move(*lock));
    }

    std::optional<Freeze> freeze_;
    std::vector<base::FileLock> locks_;
};

// The records of its jobs, under the new name. Files of scad's own: no session can write there.
void copy_jobs(const Session& source, const Copy& copy) {
    for (Job job : list_jobs(source, true)) {
        const auto from = job.directory_on_host;
        const auto to = copy.directory.path() / "jobs" / std::to_string(job.number);
        base::make_directories(to);
        std::error_code error;
        for (const auto& file : std::filesystem::directory_iterator(from, error)) {
            const auto name = file.path().filename();
            if (name != "job.json" && file.is_regular_file(error) && !file.is_symlink(error))
                workspace::copy_regular(file.path(), to / name);
        }
        if (error) throw system_error(error.value(), "cannot read '{}'", from.native());
        if (!is_final(job.state)) {
            job.state = JobState::lost;
            job.reason = fmt::format("it ran in session '{}' when that was forked", source.name);
            job.ended = base::unix_now();
        }
        job.session = copy.session.name;
        job.directory_on_host = to;
        write_job(job, base::Durability::plain);
    }
}

void name_work_branches(engine::Runner& runner, const Session& source, std::vector<Copy>& copies) {
    std::vector<workspace::BranchName> wanted;
    for (std::size_t n = 0; n < copies.size(); ++n)
        for (std::size_t i = 0; i < source.repos.size(); ++i) {
            // Where an earlier fork could not name it after itself, this one can.
            wanted.push_back({n, i, source.repos[i].branch, work_branch(copies[n].session)});
        }
    const auto names = workspace::name_branches(runner, wanted);
    std::size_t at = 0;
    for (auto& copy : copies)
        for (auto& repo : copy.session.repos) repo.branch = names[at++];
}

void write_documents(const Session& source, const Copy& copy) {
    base::replace_file(copy.directory.path() / "session.json", to_json(copy.session));
    Status status =
        read_status(source.directory); // as it stands there; no snapshot of the copy's own is taken
    status.phase = "starting";
    status.taken = 0;
    status.note.clear();
    for (auto& state : status.repos)
        if (const auto* before = source.repo(state.repo), *now = copy.session.repo(state.repo);
            before != nullptr && now != nullptr && state.branch == before->branch)
            state.branch = now->branch;
    write_status(copy.directory.path(), status, false);
}

void require_whole(const Store& store, const Session& source) {
    if (!store.exists(source.name)) throw fatal("session '{}' was removed", source.name);
    const auto state = store.state_of(source);
    if (state == State::removing)
        throw fatal("session '{}' is being removed", source.name)
            .with_hint("git scad session rm {}", source.name);
    if (state == State::damaged)
        throw fatal("session '{}' is damaged", source.name)
            .with_hint("git scad session resume {0} && git scad session fork {0}", source.name);
}

} // namespace

std::vector<Session> fork_session(const base::Context& context, const Store& store, const Session& source,
                                  const WantedName& name, std::size_t count) {
    const auto workspace = workspace::make_workspace(source.workspace);
    const auto engine = engine::make_engine(source.engine);
    const auto named = hold_off_gc(context.paths);
    auto copies = begin_copies(context, store, source, name, count, *workspace);
    std::vector<workspace::LayerCopy> layers;
    for (const auto& layer : layers_of(source, *workspace)) {
        layers.push_back({source.directory / layer, {}});
        for (const auto& copy : copies) layers.back().to.push_back(copy.directory.path() / layer);
    }
    with_context(
        [&] {
            auto spec =
                workspace::copy_spec("fork", layers, engine::host_root(engine::NetworkMode::none, "fork"));
            for (const auto& repo : source.repos)
                for (auto& mount : workspace::object_mounts(repo.name, repo.objects,
                                                            source.repo_directory(repo.name) / "empty"))
                    spec.mounts.push_back(std::move(mount));
            const auto runner = engine::make_throwaway(*engine, spec);
            const auto lock = store.lock(source.name, [&] {
                context.terminal.note(
                    fmt::format("waiting for another command on session '{}'", source.name));
            });
            require_whole(store, source);
            Stillness stillness(source);
            workspace::copy_layers(*runner, layers.size(), copies.size());
            for (const auto& copy : copies) copy_jobs(source, copy);
            for (const auto& copy : copies)
                for (const auto& repo : source.repos) copy_pin(source, copy.session, repo, context.variables);
            stillness.end();
            name_work_branches(*runner, source, copies);
        },
        "cannot fork session '{}'", source.name);

    std::vector<Session> sessions;
    for (auto& copy : copies) {
        try {
            write_documents(source, copy);
            bring_up(context, copy.session, copy.directory);
            sessions.push_back(copy.session);
        } catch (const Error& error) {
            if (sessions.empty()) throw; // what keeps the first one keeps the others too
            context.terminal.error(base::render_error(error));
        }
    }
    return sessions;
}

} // namespace scad::session
