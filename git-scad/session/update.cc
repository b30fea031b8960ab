#include "session/update.h"

#include "base/error.h"
#include "base/host_git.h"
#include "base/text.h"
#include "session/git_service.h"
#include "session/host_remotes.h"
#include "workspace/clone.h"

#include <fmt/format.h>

namespace scad::session {
namespace {

constexpr std::chrono::seconds update_limit{60};
constexpr std::size_t output_limit = std::size_t{64} << 10;

// Arguments: git directory, id, ref, and the refs that follow it; prints what the first one was. The
// session's own configuration and hooks have no say.
constexpr const char* script = R"sh(
dir=$1 id=$2 ref=$3
git() { command git --git-dir="$dir" -c core.hooksPath=/dev/null -c core.fsmonitor=false "$@"; }
git cat-file -e "$id^{commit}" || exit 1
git rev-parse --verify --quiet "$ref" || echo none
shift 2
for ref; do git update-ref --no-deref -m "git scad session update" "$ref" "$id" || exit 1; done
)sh";

// Where the base is on the host now.
std::string base_now(const SessionRepo& repo, const base::Variables& variables) {
    const base::HostGit git(repo.common_dir, variables);
    const auto ref = "refs/heads/" + repo.base_branch;
    const auto result = git.try_run({"rev-parse", "--verify", "--quiet", ref + "^{commit}"});
    if (!result.ok())
        throw fatal("repo '{}' at '{}' has no branch '{}' any more", repo.name, repo.host.native(),
                    repo.base_branch);
    return std::string(base::trim(result.out));
}

Updated update_repo(const Session& session, const SessionRepo& repo, engine::Runner& runner,
                    const base::Variables& variables) {
    Updated updated{repo.name, repo.base_branch, {}, {}};
    if (repo.base_branch.empty()) return updated;
    updated.to = base_now(repo, variables);
    make_pins(session, repo, variables); // first: from here on the host's gc keeps what the session sees
    engine::RunRequest request;
    request.argv = {"sh",
                    "-c",
                    script,
                    "sh",
                    "/work/" + repo.name + "/.git",
                    updated.to,
                    "refs/remotes/origin/" + repo.base_branch,
                    workspace::offered_ref(repo.base_branch)};
    request.environment = {"PATH=/usr/bin:/bin",
                           "HOME=/nonexistent",
                           "LANG=C.UTF-8",
                           "GIT_CONFIG_NOSYSTEM=1",
                           "GIT_CONFIG_GLOBAL=/dev/null",
                           "GIT_COMMITTER_NAME=scad",
                           "GIT_COMMITTER_EMAIL=scad@localhost"};
    const auto output = engine::run_captured(runner, request, {}, update_limit, output_limit);
    if (output.result.timed_out)
        throw fatal("repo '{}' of the session did not answer within {}", repo.name,
                    base::format_duration(update_limit));
    if (!output.result.ok())
        throw fatal("repo '{}' of the session does not take it: {}", repo.name,
                    base::visible(base::one_line(output.err, 300)));
    updated.from = base::visible(base::one_line(base::trim(output.out), 64));
    if (updated.from == "none") updated.from.clear();
    return updated;
}

} // namespace

std::vector<Updated> update_session(const base::Context& context, const Session& session) {
    std::vector<Updated> all;
    with_context(
        [&] {
            const auto runner = runner_for(session, context.paths);
            for (const auto& repo : session.repos)
                all.push_back(update_repo(session, repo, *runner, context.variables));
        },
        "cannot update session '{}'", session.name);
    return all;
}

} // namespace scad::session
