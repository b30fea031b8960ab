#include "session/start.h"

#include "agent/agent.h"
#include "agent/mcp.h"
#include "agent/program.h"
#include "agent/user_files.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/engine.h"
#include "environment/step_spec.h"
#include "environment/store.h"
#include "project/load.h"
#include "project/support.h"
#include "project/trust.h"
#include "session/creation.h"
#include "session/environment_of.h"
#include "session/gc_lock.h"
#include "session/host_work.h"
#include "session/mount_layers.h"
#include "session/plan.h"
#include "workspace/clone.h"
#include "workspace/include.h"
#include "workspace/workspace.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

namespace scad::session {
namespace {

constexpr std::uint64_t default_open_files = 65536;

std::uint64_t host_memory() {
    struct sysinfo info {};
    if (::sysinfo(&info) != 0) return std::uint64_t{1} << 30;
    return std::uint64_t{info.totalram} * info.mem_unit;
}

std::vector<SessionMount> mounts_of(const project::Project& project) {
    std::vector<SessionMount> mounts;
    for (const auto& mount : project.mounts) {
        struct stat status {};
        if (::stat(mount.source.c_str(), &status) != 0)
            throw system_error(errno, "cannot mount '{}'", mount.source);
        if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
            throw fatal("cannot mount '{}': neither a directory nor a regular file", mount.source);
        std::error_code error;
        auto source = std::filesystem::canonical(mount.source, error);
        if (error) throw system_error(error.value(), "cannot mount '{}'", mount.source);
        // What was approved is this very path: a session that can write to one of its parents must not put a
        // link in its place meanwhile.
        if (source != mount.source)
            throw fatal("cannot mount '{}': it leads to '{}' by now", mount.source, source.native());
        std::string layer;
        if (mount.mode == project::MountMode::cow) {
            if (!S_ISDIR(status.st_mode))
                throw fatal("cannot mount '{}' copy-on-write: it is no directory", mount.source)
                    .with_hint("mode = \"ro\"");
            // Inside it would belong to nobody, and nobody could change it.
            if (status.st_uid != ::geteuid())
                throw fatal("cannot mount '{}' copy-on-write: it belongs to another user", mount.source)
                    .with_hint("mode = \"ro\"");
            layer = fmt::format("mounts/{}", mounts.size());
        }
        mounts.push_back({mount.target, std::move(source), mount.mode == project::MountMode::rw,
                          S_ISREG(status.st_mode), std::move(layer)});
    }
    return mounts;
}

engine::DeviceRequest devices_of(const project::Project& project) {
    engine::DeviceRequest request;
    request.gpu = project.environment.gpu;
    for (const auto& path : project.environment.devices) {
        std::error_code error;
        const auto source = std::filesystem::canonical(path, error);
        if (error) throw system_error(error.value(), "cannot use the device '{}'", path);
        request.devices.push_back({path, source.native()});
    }
    return request;
}

// All but the work branch: its name comes of the session's.
SessionRepo session_repo(const workspace::Origin& origin, const std::string& tree) {
    SessionRepo repo;
    repo.name = origin.name;
    repo.host = origin.host.worktree.empty() ? origin.host.git_dir : origin.host.worktree;
    repo.common_dir = origin.host.common_dir;
    repo.objects = origin.objects;
    repo.base_commit = origin.base_commit;
    repo.base_ref = origin.base_ref;
    repo.base_branch = origin.base_branch;
    repo.tree = tree;
    return repo;
}

// What the home gets of the user's own: what the project chose for its agent, else what the agent's
// definition says.
std::optional<std::vector<agent::ChosenFile>> chosen_files(const Session& session,
                                                           const project::Agent& wanted) {
    if (session.agent != wanted.use || !wanted.files) return std::nullopt;
    std::vector<agent::ChosenFile> files;
    for (std::size_t i = 0; i < wanted.files->size(); ++i)
        files.push_back({(*wanted.files)[i], wanted.file_sources.at(i)});
    return files;
}

// All of the session but its name and directory.
Session describe(const base::Context& context, const project::Project& project, const StartOptions& options,
                 agent::McpServers& servers) {
    Session session;
    session.project = project.name;
    session.docs_repo = project.docs_repo;
    session.created = base::unix_now();
    session.engine =
        !options.engine.empty() ? options.engine : context.settings.get("scad.engine").value_or("bubblewrap");
    session.workspace =
        workspace::choose_workspace(context.settings.get("scad.workspace").value_or(""), context.paths);
    session.branch = project.branch;
    session.mounts = mounts_of(project);
    if (session.workspace != "overlay")
        for (const auto& mount : session.mounts)
            if (!mount.layer.empty())
                throw fatal("cannot mount '{}' copy-on-write: overlays cannot be mounted here", mount.target)
                    .with_hint("git scad doctor");
    session.devices = devices_of(project);
    session.network = environment::engine_mode(project.network.mode);
    session.agent = agent_of(context, project);
    if (session.agent == project.agent.use) { // they are about this agent
        session.model = project.agent.model;
        session.login = project.agent.login;
        session.mcp = project.agent.mcp;
    }
    const auto agent = agent::find_agent(session.agent);
    session.allow = project.network.allow;
    servers = agent::find_mcp_servers(agent, session.mcp, {context.variables, context.paths.home});
    if (session.network == engine::NetworkMode::allow) {
        session.allow.insert(session.allow.end(), agent.hosts.begin(), agent.hosts.end());
        session.allow.insert(session.allow.end(), servers.hosts.begin(), servers.hosts.end());
    }
    session.limits = limits_of(project.limits);
    session.time = project.limits.time;
    session.idle = project.limits.idle;
    session.agent_directory =
        !project.agent.directory.empty() ? project.agent.directory : "/work/" + project.repos.front().name;
    session.secrets = project.agent.env;
    return session;
}

} // namespace

engine::SandboxLimits limits_of(const project::Limits& wanted) {
    engine::SandboxLimits limits;
    limits.cpus = wanted.cpus;
    limits.memory = wanted.memory;
    limits.pids = wanted.pids.value_or(project::default_pids);
    limits.open_files = default_open_files;
    limits.shm = wanted.shm.value_or(wanted.memory.value_or(host_memory()) / 2);
    return limits;
}

std::string agent_of(const base::Context& context, const project::Project& project) {
    return context.settings.get("scad.agent").value_or(project.agent.use);
}

Session start_session(const base::Context& context, const project::Project& project,
                      const StartOptions& options) {
    project::require_trust(project, context);
    project::require_supported(project);
    const auto named = hold_off_gc(context.paths);
    agent::McpServers servers;
    auto session = describe(context, project, options, servers);
    const auto engine = engine::make_engine(session.engine);
    const auto workspace = workspace::make_workspace(session.workspace);
    const Store store(context.paths);

    std::vector<workspace::Origin> origins;
    for (const auto& repo : project.repos) {
        const auto base = options.bases.find(repo.name);
        origins.push_back(workspace::inspect_origin(repo.name, repo.path,
                                                    base == options.bases.end() ? repo.base : base->second,
                                                    context.variables, !repo.url.empty()));
    }
    const auto held_environment = environment::hold(context.paths);
    take_environment(session, context, project, origins);
    for (std::size_t i = 0; i < origins.size(); ++i) {
        session.repos.push_back(session_repo(origins[i], workspace->tree_key(origins[i])));
        session.repos.back().url = project.repos[i].url;
    }
    std::optional<LeftBehind> left_behind; // looks meanwhile
    if (!options.with_changes) left_behind.emplace(context, origins);
    const auto lock = take_name(context, store, session,
                                {options.name, options.stem.empty() ? session.project : options.stem});
    for (auto& repo : session.repos) repo.branch = work_branch(session);

    // Before anything is made, what this host lacks.
    for (const auto& warning : engine::find_devices(session.devices).warnings)
        context.terminal.warning(base::visible(warning));

    base::make_directories(context.paths.sessions());
    base::make_directories(context.paths.agents());
    base::WholeDirectory directory(context.paths.sessions());
    const workspace::Making making{context.paths, *engine,
                                   [&](const std::string& line) { context.terminal.progress(line); }};
    for (std::size_t i = 0; i < origins.size(); ++i) {
        workspace::Origin origin = origins[i];
        const auto repo_directory = directory.path() / "repos" / origin.name;
        base::make_directories(repo_directory);
        if (options.with_changes) take_changes(context, origin, repo_directory);
        session.repos[i].start_commit = origin.start_commit;
        if (const auto& include = project.repos[i].include; !include.empty()) {
            origin.laid_over = repo_directory / "include";
            workspace::copy_included(origin, include, origin.laid_over, context.variables);
        }
        for (const auto& warning : origin.warnings)
            context.terminal.warning(base::visible(fmt::format("{}: {}", origin.name, warning)));
        workspace->make(repo_directory, origin, session.repos[i].branch, making);
        if (!origin.laid_over.empty()) base::remove_tree(origin.laid_over);
    }
    context.terminal.progress("");
    for (const auto* part : {"home", "tmp", "jobs"}) base::make_directories(directory.path() / part);
    make_mount_layers(session, directory.path());
    prepare_environment(session, directory.path());
    const auto agent = agent::find_agent(session.agent);
    session.user_files =
        agent::copy_user_files(agent, chosen_files(session, project.agent),
                               {context.variables, context.paths.home}, directory.path() / "home");
    if (!session.mcp.empty()) agent::write_mcp_servers(agent, servers, directory.path() / "home");
    base::replace_file(directory.path() / "session.json", to_json(session));
    if (!options.ports.empty()) lease_ports(context.paths, directory.path(), options.ports);
    Status status;
    status.phase = "starting";
    write_status(directory.path(), status, false);

    bring_up(context, session, directory);
    if (left_behind) left_behind->tell();
    return session;
}

namespace {

std::string conversation_to_resume(const Session& session, const std::string& agent,
                                   const InjectOptions& options) {
    const auto jobs = list_jobs(session, true);
    if (options.resume_job) {
        const auto found = std::find_if(jobs.begin(), jobs.end(),
                                        [&](const auto& job) { return job.number == *options.resume_job; });
        if (found == jobs.end())
            throw fatal("session '{}' has no job {}", session.name, *options.resume_job)
                .with_hint("git scad job list {}", session.name);
        if (found->agent != agent)
            throw fatal("job {}:{} was a job of agent '{}', not of '{}'", session.name, found->number,
                        found->agent, agent)
                .with_hint("git scad inject {} --agent {} --continue={}", session.name, found->agent,
                           found->number);
        if (found->conversation.empty())
            throw fatal("job {}:{} left no conversation to continue", session.name, found->number);
        return found->conversation;
    }
    const auto newest = std::find_if(jobs.rbegin(), jobs.rend(), [&](const auto& job) {
        return job.agent == agent && !job.conversation.empty();
    });
    if (newest == jobs.rend())
        throw fatal("session '{}' has no conversation of agent '{}' to continue", session.name, agent)
            .with_hint("leave --continue out to start one");
    return newest->conversation;
}

std::string first_line(const std::string& text) {
    for (const auto& line : base::lines(text))
        if (const auto words = base::trim(line); !words.empty()) return std::string(words);
    return {};
}

} // namespace

std::string login_mode(const Session& session, const std::string& agent) {
    return agent == session.agent ? session.login : "auto";
}

Injection prepare_job(const base::Context& context, const Session& session, const InjectOptions& options,
                      Logins& logins) {
    const bool plain = !options.command.empty();
    const auto agent =
        agent::find_agent(plain ? "command" : (!options.agent.empty() ? options.agent : session.agent));
    if (!plain && agent.program.empty())
        throw fatal("agent '{}' runs a command, and there is none", agent.name)
            .with_hint("git scad inject {} -- <command>", session.name);
    if (!plain && base::trim(options.prompt).empty()) throw fatal("the prompt is empty");
    if (plain && (options.resume || options.resume_job))
        throw usage("--continue goes on with an agent's conversation; a plain command has none");

    Job job;
    job.agent = agent.name;
    agent::JobInput input;
    input.prompt = options.prompt;
    input.command = options.command;
    input.model =
        plain ? ""
              : (!options.model.empty() ? options.model : (agent.name == session.agent ? session.model : ""));
    for (const auto& repo : session.repos) {
        auto place = "/work/" + repo.name;
        if (place != session.agent_directory) input.directories.push_back(std::move(place));
    }
    if (options.resume || options.resume_job)
        input.conversation = conversation_to_resume(session, agent.name, options);
    const auto named = hold_off_gc(context.paths); // the program, until the job names it
    if (!agent.program.empty()) {
        const auto program =
            agent::install_program(agent, context.variables.entries(), context.paths.agents());
        const auto inside = fmt::format("{}/{}", agents_path, program.id);
        input.program = inside + "/" + program.entry;
        for (const auto& directory : program.path)
            job.path.push_back(fmt::format("{}/{}", inside, directory));
    }
    const auto command = agent::make_command(agent, input);
    job.argv = command.argv;
    job.environment = command.environment;
    job.prompt_on_stdin = !plain && agent.prompt == agent::PromptVia::standard_input;
    job.files.assign(agent.files.begin(), agent.files.end());
    job.directory = session.agent_directory;
    job.reader = agent.reader;
    job.model = input.model;
    job.prompt_name = options.prompt_name;
    job.prompt_line = plain ? base::one_line(base::shell_join(options.command), 200)
                            : base::one_line(first_line(options.prompt), 200);
    job.time = options.time ? options.time : session.time;
    job.idle = options.idle ? options.idle : session.idle;
    job.created = base::unix_now();

    Injection injection;
    job.secret_names = agent::secret_names(agent, session.secrets, context.variables.entries());
    for (const auto& name : job.secret_names)
        if (auto value = context.variables.get(name)) injection.secrets.emplace(name, std::move(*value));
    if (const auto& login = logins.find(agent, login_mode(session, agent.name)); !login.variable.empty()) {
        if (injection.secrets.insert_or_assign(login.variable, login.value).second)
            job.secret_names.insert(job.secret_names.begin(), login.variable);
    }
    if (agent.name == session.agent && !session.mcp.empty()) {
        auto servers = agent::find_mcp_servers(agent, session.mcp, {context.variables, context.paths.home});
        for (auto& [name, value] : servers.secrets) {
            job.secret_names.push_back(name);
            injection.secrets.emplace(name, std::move(value));
        }
    }
    injection.job = create_job(session, std::move(job), plain ? "" : command.input);
    return injection;
}

} // namespace scad::session
