#include "review/save.h"

#include "base/error.h"
#include "base/text.h"
#include "review/fetch.h"
#include "review/status.h"
#include "session/client.h"
#include "session/git_service.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::review {
namespace {

constexpr std::chrono::minutes snapshot_limit{10};

std::vector<workspace::RepoState> by_supervisor(const session::Session& session) {
    auto client = session::Client::require(session);
    session::Request request;
    request.kind = session::Request::Kind::snapshot;
    client.send(request);
    while (const auto reply = client.receive(snapshot_limit)) {
        if (reply->kind == session::Reply::Kind::saved) return session::read_status(session.directory).repos;
    }
    throw fatal("the snapshot of session '{}' took longer than {}", session.name,
                base::format_duration(snapshot_limit));
}

std::vector<workspace::RepoState> by_sandbox(const base::Context& context, const session::Session& session) {
    std::vector<std::string> repos;
    std::vector<std::string> bases;
    for (const auto& repo : session.repos) {
        repos.push_back(repo.name);
        bases.push_back(repo.base_commit);
    }
    const auto runner = session::runner_for(session, context.paths);
    auto states = workspace::take_snapshot(*runner, repos, bases, snapshot_limit);
    auto status = session::read_status(session.directory);
    status.repos = states;
    status.taken = base::unix_now();
    session::write_status(session.directory, status, true);
    return states;
}

} // namespace

bool needs_snapshot(const session::Entry& entry) {
    if (entry.state != session::State::stopped || entry.status.taken == 0) return true;
    return std::any_of(entry.session.repos.begin(), entry.session.repos.end(), [&](const auto& repo) {
        const auto& states = entry.status.repos;
        const auto found = std::find_if(states.begin(), states.end(),
                                        [&](const auto& state) { return state.repo == repo.name; });
        return found == states.end() || !found->problem.empty();
    });
}

std::vector<workspace::RepoState> take_snapshot(const base::Context& context, const session::Store& store,
                                                const session::Session& session) {
    return with_context(
        [&] {
            const auto state = store.state_of(session);
            if (state == session::State::live) return by_supervisor(session);
            if (state == session::State::damaged) throw fatal("session '{}' is damaged", session.name);
            return by_sandbox(context, session);
        },
        "while taking a snapshot of session '{}'", session.name);
}

std::vector<std::string> save_session(const base::Context& context, const session::Store& store,
                                      const session::Entry& entry) {
    const auto& session = entry.session;
    const auto states = needs_snapshot(entry) ? take_snapshot(context, store, session) : entry.status.repos;
    std::vector<std::string> lines;
    std::vector<std::string> failed;
    for (const auto& state : states) {
        if (!state.problem.empty())
            failed.push_back(fmt::format("{}: {}", state.repo, base::one_line(state.problem, 200)));
        else if (not_saved(state) > 0)
            lines.push_back(fmt::format("{}/{}: no snapshot holds {}", session.name,
                                        base::visible(state.repo), not_saved_words(state)));
    }
    if (!failed.empty())
        throw fatal("the uncommitted work of session '{}' could not be saved\n{}", session.name,
                    base::join(failed, "\n"));
    for (const auto& fetched : fetch_sessions({session}, context)) {
        if (!fetched.ok) failed.push_back(fmt::format("{}: {}", fetched.repo, base::trim(fetched.output)));
        // Refs that the quarantine does not let through stay in the session alone.
        constexpr std::string_view warning = "warning: ";
        for (const auto& line : base::lines(fetched.output))
            if (fetched.ok && line.starts_with(warning))
                lines.push_back(
                    fmt::format("{}/{}: {}", session.name, fetched.repo, line.substr(warning.size())));
    }
    if (!failed.empty())
        throw fatal("the work of session '{}' could not be fetched\n{}", session.name,
                    base::join(failed, "\n"));
    require_saved(session, context);
    return lines;
}

} // namespace scad::review
