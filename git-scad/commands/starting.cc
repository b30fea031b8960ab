#include "commands/starting.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/trusting.h"
#include "engine/host_check_login.h"
#include "session/start.h"

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

} // namespace

std::vector<session::Session> start_sessions(const base::Context& context, const project::Project& project,
                                             const StartRequest& request) {
    const auto count = request.count ? parse_count("-n", *request.count, most_sessions) : 1;
    session::StartOptions options;
    options.engine = request.engine;
    if (request.count)
        options.stem = request.name.value_or("");
    else
        options.name = request.name.value_or("");
    ask_for_trust(context, project);
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
                                  base::visible(repo.branch), base, base::visible(repo.host.string())));
    }
    for (const auto& mount : session.mounts)
        terminal.note(fmt::format("  {}: {} {}", base::visible(mount.target),
                                  mount.writable ? "writable, is" : "read-only, shows",
                                  base::visible(mount.source.string())));
    const auto status = session::read_status(session.directory);
    if (!status.devices.empty())
        terminal.note(fmt::format("  devices: {}", base::visible(base::join(status.devices, ", "))));
    terminal.note(fmt::format("  network: {}", base::visible(network_words(session))));
    if (const auto logout = engine::explain_login(engine::find_login(context)); !logout.ok)
        terminal.note(fmt::format("  logout: {}; {}", logout.detail, logout.remedy));
    for (const auto& limit : status.limits)
        terminal.note(fmt::format("  limit: {} {}, by {}", limit.name, limit.value, limit.means));
}

} // namespace scad::commands
