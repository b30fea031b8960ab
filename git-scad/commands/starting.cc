#include "commands/starting.h"

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/trusting.h"
#include "engine/host_check_login.h"
#include "project/rules.h"
#include "project/support.h"
#include "review/gc.h"
#include "session/mount_layers.h"
#include "session/start.h"
#include "session/url_repos.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::commands {
namespace {

constexpr std::size_t most_sessions = 100; // at once

std::string network_words(const session::Session& session) {
    switch (session.network) {
        case engine::NetworkMode::none:
            return "none";
        case engine::NetworkMode::allow:
            return session.allow.empty() ? "nothing is allowed" : base::join(session.allow, ", ");
        case engine::NetworkMode::host:
            return "the host's, loopback and all";
    }
    return "none";
}

// The revisions that --base gives, by repo.
std::map<std::string, std::string> parse_bases(const std::vector<std::string>& texts,
                                               const project::Project& project) {
    std::vector<std::string> repos;
    repos.reserve(project.repos.size());
    for (const auto& repo : project.repos) repos.push_back(repo.name);
    std::map<std::string, std::string> bases;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
            throw usage("--base wants <repo>=<revision>, not '{}'", text);
        const auto repo = text.substr(0, equals);
        const auto revision = text.substr(equals + 1);
        if (std::find(repos.begin(), repos.end(), repo) == repos.end()) {
            const auto close = base::nearest(repo, repos, 1);
            throw usage("--base: project '{}' has no repo '{}'", project.name, repo)
                .with_hint("{}", close.empty() ? "its repos are " + base::join(repos, ", ")
                                               : fmt::format("did you mean '{}'?", close.front()));
        }
        if (const auto why = project::revision_problem(revision); !why.empty())
            throw usage("--base: '{}' cannot be a revision of repo '{}': {}", revision, repo, why);
        if (!bases.emplace(repo, revision).second) throw usage("--base names repo '{}' twice", repo);
    }
    return bases;
}

} // namespace

void add_start_options(CLI::App& app, StartRequest& request) {
    add_option(app, "--base", "<repo>=<revision>", request.bases,
               "where that repo starts, instead of where the project says");
    add_option(app, "--port", "<name>=<port>", request.ports,
               "lease a port of its own, from that number on, as SCAD_PORT_<NAME>");
    add_flag(app, "--with-changes", request.with_changes,
             "start from the uncommitted work of the host's repos, too");
}

std::vector<session::Session> start_sessions(const base::Context& context, project::Project& project,
                                             const StartRequest& request) {
    const auto count = request.count ? parse_count("-n", *request.count, most_sessions) : 1;
    session::StartOptions options;
    options.engine = request.engine;
    options.bases = parse_bases(request.bases, project);
    for (const auto& port : request.ports) options.ports.push_back(session::parse_port_wish(port));
    options.with_changes = request.with_changes;
    if (request.count)
        options.stem = request.name.value_or("");
    else
        options.name = request.name.value_or("");
    ask_for_trust(context, project);
    project::require_supported(project);
    session::fetch_url_repos(context, project);
    std::vector<session::Session> sessions;
    for (std::size_t i = 0; i < count; ++i) {
        try {
            sessions.push_back(session::start_session(context, project, options));
            describe_start(context, sessions.back());
        } catch (const Error& error) {
            context.terminal.progress("");
            if (sessions.empty()) throw; // what keeps the first one from starting keeps the others too
            context.terminal.error(base::render_error(error));
        }
    }
    review::collect_now_and_then(context);
    return sessions;
}

void describe_start(const base::Context& context, const session::Session& session) {
    auto& terminal = context.terminal;
    terminal.note(fmt::format("session '{}' of project '{}'", session.name, session.project));
    for (const auto& repo : session.repos) {
        const auto base = repo.base_branch.empty() ? short_id(repo.base_commit)
                                                   : fmt::format("{} ({})", base::visible(repo.base_branch),
                                                                 short_id(repo.base_commit));
        terminal.note(fmt::format("  /work/{}: branch {} from {} of {}", repo.name,
                                  base::visible(repo.branch), base,
                                  base::visible(repo.url.empty() ? repo.host.string() : repo.url)));
    }
    if (session.workspace == "copy") terminal.note("  working copies: a checkout for this session alone");
    for (const auto& mount : session.mounts)
        terminal.note(fmt::format("  {}: {} {}", base::visible(mount.target), session::access_words(mount),
                                  base::visible(mount.source.string())));
    const auto status = session::read_status(session.directory);
    if (!status.devices.empty())
        terminal.note(fmt::format("  devices: {}", base::visible(base::join(status.devices, ", "))));
    std::vector<std::string> own;
    for (const auto& file : session.user_files) {
        if (file.problem.empty())
            own.push_back("~/" + file.target);
        else
            terminal.warning(base::visible(
                fmt::format("'{}' is not in the session: {}", file.source.native(), file.problem)));
    }
    if (!own.empty()) terminal.note("  of yours: " + base::visible(base::join(own, ", ")));
    if (!session.mcp.empty()) terminal.note("  MCP servers: " + base::visible(base::join(session.mcp, ", ")));
    for (const auto& lease : session::read_grants(session.directory).ports)
        terminal.note(fmt::format("  port {}: {}", lease.name, lease.port));
    terminal.note(fmt::format("  network: {}", base::visible(network_words(session))));
    if (const auto logout = engine::explain_login(engine::find_login(context)); !logout.ok)
        terminal.note(fmt::format("  logout: {}; {}", logout.detail, logout.remedy));
    for (const auto& limit : status.limits)
        terminal.note(fmt::format("  limit: {} {}, by {}", limit.name, limit.value, limit.means));
}

} // namespace scad::commands
