#include "session/git_service.h"

#include "base/error.h"
#include "engine/engine.h"
#include "session/client.h"
#include "session/plan.h"
#include "session/store.h"
#include "workspace/base_tree.h"

namespace scad::session {
namespace {

// The configuration of the agent's home has no say in what the service does; its own repo's has, and only the
// sandbox is at risk.
std::vector<std::string> service_environment(const std::string& protocol) {
    std::vector<std::string> environment = {
        "PATH=/usr/bin:/bin",    "HOME=/nonexistent",           "LANG=C.UTF-8",
        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_NO_REPLACE_OBJECTS=1",
    };
    if (!protocol.empty()) environment.push_back("GIT_PROTOCOL=" + protocol);
    return environment;
}

// git waits for ever on a FIFO in place of one of its files, before any time limit of its own holds: so they
// are looked for first. What this does not find is for the time limits of who asks.
constexpr const char* service_script = R"sh(
odd=$(cd "$1" && find -H HEAD config config.worktree commondir packed-refs shallow info refs objects/info objects/pack \
    -type p -print -quit 2>/dev/null)
[ -z "$odd" ] || { echo "fatal: '$odd' is a FIFO" >&2; exit 128; }
shift
exec "$@"
)sh";

} // namespace

std::unique_ptr<engine::Runner> fetch_runner(const Session& session, const std::string& repo) {
    if (Client::connect(session)) return make_live_runner(session, true);
    const auto engine = engine::make_engine(session.engine);
    return engine::make_throwaway(
        *engine, fetch_spec(session, repo, engine::host_root(engine::NetworkMode::none, session.name)));
}

std::unique_ptr<engine::Runner> push_runner(const Session& session, const base::Paths& paths,
                                            const std::string& repo) {
    if (Client::connect(session)) return make_live_runner(session, false);
    const auto spec =
        push_spec(session, paths, repo, engine::host_root(engine::NetworkMode::none, session.name));
    if (!workspace::is_whole(workspace::base_tree_at(paths, session.repo(repo)->tree)))
        throw fatal("the base tree of repo '{}' is gone", repo)
            .with_hint("git scad session resume {}", session.name);
    expect_changes(session, paths);
    return engine::make_throwaway(*engine::make_engine(session.engine), spec);
}

void expect_changes(const Session& session, const base::Paths& paths) {
    const auto lock = Store(paths).lock(session.name, {});
    auto status = read_status(session.directory);
    if (status.taken == 0 || status.phase != "stopped") return;
    status.taken = 0;
    write_status(session.directory, status, true);
}

void note_changes(const Session& session) {
    auto client = Client::connect(session);
    if (!client) return;
    Request request;
    request.kind = Request::Kind::snapshot;
    client->send(request);
}

OpenService open_service(engine::Runner& runner, const std::string& repo, GitService service,
                         const std::string& protocol) {
    auto input = base::make_pipe();
    auto output = base::make_pipe();
    auto errors = base::make_pipe();
    engine::RunRequest request;
    const auto git_dir = "/work/" + repo + "/.git";
    request.argv = {"sh", "-c", service_script, "sh", git_dir, "git"};
    const auto git = service == GitService::upload_pack
                         ? std::vector<std::string>{"-c",           "uploadpack.allowFilter=true",
                                                    "upload-pack",  "--strict",
                                                    "--timeout=60", git_dir}
                         : std::vector<std::string>{"-c",           "receive.advertisePushOptions=true",
                                                    "-c",           "receive.denyCurrentBranch=updateInstead",
                                                    "receive-pack", git_dir};
    request.argv.insert(request.argv.end(), git.begin(), git.end());
    request.environment = service_environment(service == GitService::upload_pack ? protocol : "");
    request.in = input.read.get();
    request.out = output.write.get();
    request.err = errors.write.get();
    OpenService open;
    open.running = runner.start(request);
    open.to = std::move(input.write);
    open.from = std::move(output.read);
    open.errors = std::move(errors.read);
    return open;
}

std::unique_ptr<engine::Runner> runner_for(const Session& session, const base::Paths& paths) {
    if (Client::connect(session)) return make_live_runner(session, true);
    const auto engine = engine::make_engine(session.engine);
    auto spec = session_spec(session, paths, engine::host_root(engine::NetworkMode::none, session.name));
    spec.network = engine::NetworkMode::none;
    spec.proxy_port = 0;
    return engine::make_throwaway(*engine, spec);
}

} // namespace scad::session
