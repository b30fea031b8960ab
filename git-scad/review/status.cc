#include "review/status.h"

#include "base/error.h"
#include "base/repository.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::review {

workspace::RepoState state_of(const session::Session& session, const session::Status& status,
                              const std::string& repo) {
    const auto found = std::find_if(status.repos.begin(), status.repos.end(),
                                    [&](const auto& state) { return state.repo == repo; });
    if (found != status.repos.end()) return *found;
    workspace::RepoState state;
    state.repo = repo;
    if (const auto* known = session.repo(repo)) {
        state.branch = known->branch;
        state.head = known->base_commit;
    }
    return state;
}

std::optional<std::int64_t> not_fetched(const workspace::RepoState& state, const std::string& base_commit,
                                        const HostFacts& host) {
    if (!host.reachable) return std::nullopt;
    const std::int64_t uncommitted = !state.wip.empty() && state.wip != host.wip ? 1 : 0;
    if (state.head.empty() || state.head == host.branch || state.head == base_commit) return uncommitted;
    if (host.behind) return *host.behind + uncommitted;
    // A detached HEAD comes as a parent of the snapshot, not as a branch.
    if (state.branch.empty()) return host.has_head ? uncommitted : std::max<std::int64_t>(uncommitted, 1);
    // The host does not know the session's HEAD, so its history can only be estimated by what the session
    // counted.
    return std::max<std::int64_t>(state.ahead - host.fetched, 1) + uncommitted;
}

std::int64_t not_saved(const workspace::RepoState& state) {
    const auto count = state.ignored + state.nested + state.unreadable + state.tags + state.worktrees;
    return state.problem.empty() ? count : count + std::max<std::int64_t>(state.changed + state.untracked, 1);
}

std::string not_saved_words(const workspace::RepoState& state) {
    std::vector<std::string> words;
    const auto add = [&](std::int64_t count, std::string_view one, std::string_view many) {
        if (count > 0) words.push_back(fmt::format("{} {}", count, count == 1 ? one : many));
    };
    if (!state.problem.empty()) words.emplace_back("no snapshot");
    add(state.ignored, "ignored", "ignored");
    add(state.nested, "nested repo", "nested repos");
    add(state.unreadable, "unreadable", "unreadable");
    add(state.tags, "tag", "tags");
    add(state.worktrees, "linked worktree", "linked worktrees");
    return base::join(words, ", ");
}

HostFacts ask_host(const session::Session& session, const session::SessionRepo& repo,
                   const workspace::RepoState& state, const base::Variables& variables) {
    HostFacts facts;
    try {
        const base::Repository host(repo.common_dir, variables);
        facts.reachable = true;
        const auto& branch = state.branch.empty() ? repo.branch : state.branch;
        facts.branch =
            host.resolve(fmt::format("refs/remotes/scad/{}/{}", session.name, branch)).value_or("");
        facts.wip = host.resolve(fmt::format("refs/scad-session/{}/wip", session.name)).value_or("");
        if (state.head.empty() || state.head == facts.branch) return facts;
        facts.has_head = host.contains(state.head);
        if (facts.branch.empty()) return facts;
        if (facts.has_head && !state.branch.empty()) {
            if (const auto counts = host.ahead_behind(state.head, facts.branch))
                facts.behind = static_cast<std::int64_t>(counts->first);
        } else if (const auto counts = host.ahead_behind(facts.branch, repo.base_commit)) {
            facts.fetched = static_cast<std::int64_t>(counts->first);
        }
    } catch (const Error&) {
        facts.reachable = false; // moved or deleted: the rest of the answer is still worth having
    }
    return facts;
}

std::vector<StatusRow> status_rows(const session::Entry& entry, const std::vector<HostFacts>& facts) {
    std::vector<StatusRow> rows;
    for (std::size_t i = 0; i < entry.session.repos.size(); ++i) {
        const auto& repo = entry.session.repos[i];
        const auto state = state_of(entry.session, entry.status, repo.name);
        StatusRow row;
        row.session = entry.session.name;
        row.repo = repo.name;
        row.branch = state.branch;
        row.state = entry.state;
        row.ahead = state.ahead;
        row.changed = state.changed;
        row.untracked = state.untracked;
        row.not_fetched = not_fetched(state, repo.base_commit, i < facts.size() ? facts[i] : HostFacts{});
        row.not_saved = not_saved(state);
        row.not_saved_words = not_saved_words(state);
        row.problem = state.problem;
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace scad::review
