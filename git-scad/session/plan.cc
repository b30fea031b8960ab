#include "session/plan.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/proxy.h"
#include "environment/mounts.h"
#include "workspace/snapshot.h"
#include "workspace/workspace.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace scad::session {
namespace {

void append(std::vector<engine::Mount>& mounts, std::vector<engine::Mount> more) {
    std::move(more.begin(), more.end(), std::back_inserter(mounts));
}

engine::Mount project_mount(const Session& session, const SessionMount& mount) {
    // Read-only directories are overlays over nothing: sockets and FIFOs in them lead nowhere.
    // The source is a real path. Another mount may have let the session put a link in its place since.
    engine::Mount result;
    result.target = mount.target;
    result.exact = true;
    const auto layer = session.directory / mount.layer;
    if (!mount.layer.empty())
        result.what = engine::Overlay{
            .lowers = {mount.source}, .upper = layer / "upper", .work = layer / "work", .git = {}};
    else if (mount.writable || mount.file)
        result.what = engine::Bind{mount.source, mount.writable};
    else
        result.what = engine::Overlay{.lowers = {mount.source}, .upper = {}, .work = {}, .git = {}};
    return result;
}

std::string_view network_words(engine::NetworkMode mode) {
    switch (mode) {
        case engine::NetworkMode::none:
            return "none";
        case engine::NetworkMode::allow:
            return "only these hosts, through the proxy that http_proxy and https_proxy name";
        case engine::NetworkMode::host:
            return "the host's own";
    }
    return "none";
}

std::string limits_words(const Session& session) {
    std::string text;
    const auto add = [&](std::string_view name, const std::string& value) {
        text += fmt::format("- {}: {}\n", name, value);
    };
    if (session.limits.cpus) add("cpus", fmt::format("{}", *session.limits.cpus));
    if (session.limits.memory) add("memory", base::format_size(*session.limits.memory));
    if (session.limits.pids) add("processes", std::to_string(*session.limits.pids));
    add("/dev/shm", base::format_size(session.limits.shm));
    if (session.time) add("time for one job", base::format_duration(*session.time));
    if (session.idle) add("silence of one job", base::format_duration(*session.idle));
    return text;
}

const SessionRepo& repo_of(const Session& session, const std::string& name) {
    const auto* repo = session.repo(name);
    if (repo == nullptr) throw fatal("session '{}' has no repo '{}'", session.name, name);
    return *repo;
}

// The working copy of a repo. What the environment has below it lies under the base tree: a file that the
// repo tracks is always the repo's own.
std::vector<engine::Mount> repo_mounts(const Session& session, const base::Paths& paths,
                                       const SessionRepo& repo) {
    auto mounts = workspace::make_workspace(session.workspace)
                      ->mounts(session.repo_directory(repo.name), repo.name,
                               workspace::base_tree_at(paths, repo.tree), repo.objects);
    for (auto& mount : mounts) {
        auto* overlay = std::get_if<engine::Overlay>(&mount.what);
        if (overlay == nullptr || mount.target != "/work/" + repo.name) continue;
        auto more = environment::work_lowers(paths, session.parts, repo.name);
        std::move(more.begin(), more.end(), std::back_inserter(overlay->lowers));
    }
    return mounts;
}

// What a snapshot leaves out of what it cannot hold, because a build makes it again; as git names it, a
// directory with a '/' at its end.
std::string made_list(const Session& session) {
    std::string list;
    for (const auto& path : session.parts.made) list += fmt::format("{0}\n{0}/\n", path);
    return list;
}

engine::SandboxSpec service_spec(const Session& session, std::vector<engine::Mount> host_root) {
    engine::SandboxSpec spec;
    spec.name = session.name;
    spec.mounts = std::move(host_root);
    spec.mounts.push_back({"/tmp", engine::Tmpfs{std::uint64_t{256} << 20, 01777}});
    spec.network = engine::NetworkMode::none;
    spec.limits.pids = 256;
    spec.limits.open_files = 4096;
    return spec;
}

} // namespace

engine::SandboxSpec session_spec(const Session& session, const base::Paths& paths,
                                 std::vector<engine::Mount> host_root) {
    engine::SandboxSpec spec;
    spec.name = session.name;
    spec.mounts = std::move(host_root);
    spec.mounts.push_back({"/work", engine::Directory{0755}});
    spec.mounts.push_back({"/work/README.md", engine::File{session_readme(session), 0444}});
    for (const auto& repo : session.repos) append(spec.mounts, repo_mounts(session, paths, repo));
    if (!session.parts.made.empty())
        spec.mounts.push_back({"/run/scad/made", engine::File{made_list(session), 0444}});
    spec.mounts.push_back({"/home/agent", engine::Bind{session.directory / "home", true}});
    spec.mounts.push_back({"/tmp", engine::Bind{session.directory / "tmp", true}});
    append(spec.mounts, environment::environment_mounts(paths, session.parts, session.directory / "venv"));
    spec.mounts.push_back({std::string(agents_path), engine::Bind{paths.agents(), false}});
    for (const auto& mount : session.mounts) spec.mounts.push_back(project_mount(session, mount));
    spec.network = session.network;
    if (session.network == engine::NetworkMode::allow) spec.proxy_port = proxy_port;
    spec.limits = session.limits;
    spec.directory = "/work";
    return spec;
}

engine::SandboxSpec fetch_spec(const Session& session, const std::string& repo,
                               std::vector<engine::Mount> host_root) {
    auto spec = service_spec(session, std::move(host_root));
    append(spec.mounts,
           workspace::git_only_mounts(session.repo_directory(repo), repo, repo_of(session, repo).objects));
    return spec;
}

engine::SandboxSpec push_spec(const Session& session, const base::Paths& paths, const std::string& repo,
                              std::vector<engine::Mount> host_root) {
    const auto& wanted = repo_of(session, repo);
    auto spec = service_spec(session, std::move(host_root));
    append(spec.mounts, repo_mounts(session, paths, wanted));
    return spec;
}

std::vector<std::string> session_environment(const Session& session,
                                             const std::vector<std::string>& path_first) {
    std::string path;
    for (const auto& directory : path_first) path += directory + ":";
    path += "/home/agent/.local/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
    std::vector<std::pair<std::string, std::string>> values = {
        {"HOME", "/home/agent"},
        {"USER", "agent"},
        {"LOGNAME", "agent"},
        {"SHELL", "/bin/bash"},
        {"LANG", "C.UTF-8"},
        {"TERM", "dumb"},
        {"TMPDIR", "/tmp"},
        {"SCAD_SESSION", session.name},
        {"SCAD_PROJECT", session.project},
    };
    if (session.network == engine::NetworkMode::allow) {
        for (auto& variable : engine::proxy_variables(proxy_port)) values.push_back(std::move(variable));
    }
    for (const auto& [name, value] : session.variables) {
        if (name == "PATH") {
            path = fmt::format("{}:{}", value, path);
            continue;
        }
        const auto known = std::find_if(values.begin(), values.end(),
                                        [&wanted = name](const auto& pair) { return pair.first == wanted; });
        if (known == values.end())
            values.emplace_back(name, value);
        else
            known->second = value;
    }
    std::vector<std::string> environment = {"PATH=" + path};
    for (const auto& [name, value] : values) environment.push_back(fmt::format("{}={}", name, value));
    return environment;
}

std::string session_readme(const Session& session) {
    std::string text = fmt::format(
        "# Session {}\n\nAn isolated workspace of the project {}. What is not below /work/<repo>, "
        "/home/agent, /tmp or a\nread-write mount cannot be changed.\n\n## Repos\n\n",
        session.name, session.project);
    for (const auto& repo : session.repos)
        text += fmt::format(
            "- /work/{}: on branch `{}`, which starts at {}{}. Commit on this branch: it is what comes back "
            "for\n  review.\n",
            repo.name, repo.branch, repo.base_commit.substr(0, 12),
            repo.base_branch.empty() ? "" : fmt::format(" (`origin/{}`)", repo.base_branch));
    if (!session.mounts.empty()) {
        text += "\n## Mounts\n\n";
        for (const auto& mount : session.mounts)
            text += fmt::format("- {}: {}\n", mount.target,
                                !mount.layer.empty() ? "writable; what you change stays in the session"
                                : mount.writable     ? "read-write"
                                                     : "read-only");
    }
    if (session.devices.gpu || !session.devices.devices.empty()) {
        text += "\n## Devices\n\n";
        if (session.devices.gpu) text += "- the host's graphics processors\n";
        for (const auto& device : session.devices.devices) text += fmt::format("- {}\n", device.path);
    }
    text += fmt::format("\n## Network\n\n{}\n", network_words(session.network));
    if (session.network == engine::NetworkMode::allow)
        for (const auto& host : session.allow) text += fmt::format("- {}\n", host);
    text += "\n## Limits\n\n" + limits_words(session);
    return text;
}

} // namespace scad::session
