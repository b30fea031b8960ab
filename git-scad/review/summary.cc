#include "review/summary.h"

#include "base/error.h"
#include "base/host_git.h"
#include "base/repository.h"
#include "base/text.h"
#include "review/range.h"
#include "review/status.h"

#include <fmt/format.h>

namespace scad::review {
namespace {

constexpr std::chrono::seconds git_limit{60};

// "3 files changed, …" of two revisions.
std::string shortstat(const base::HostGit& git, std::vector<std::string> revisions) {
    std::vector<std::string> arguments = {"diff", "--no-color", "--no-ext-diff", "--no-textconv",
                                          "--shortstat"};
    arguments.insert(arguments.end(), revisions.begin(), revisions.end());
    arguments.emplace_back("--");
    auto command = git.command(std::move(arguments));
    // A file of 100 MB that is nothing but line ends takes many gigabytes to compare. Not the address space:
    // git maps whole packs.
    command.argv.insert(command.argv.begin(), {"prlimit", "--data=4294967296", "--core=0", "--"});
    command.timeout = git_limit;
    command.out = base::Stream::capture();
    command.err = base::Stream::capture();
    const auto result = base::run(command);
    return result.ok() ? std::string(base::trim(result.out)) : "changes that git could not count";
}

RepoSummary summarize_repo(const base::Context& context, const session::Entry& entry,
                           const session::SessionRepo& repo) {
    RepoSummary summary;
    summary.repo = repo.name;
    summary.host = repo.host.string();
    summary.branch = repo.branch;
    const auto state = state_of(entry.session, entry.status, repo.name);
    summary.not_saved = not_saved_words(state);
    try {
        const auto range = fetched_range(entry.session, repo, context.variables);
        const base::HostGit git(range.host, context.variables);
        if (range.tip != range.base) {
            const base::Repository host(repo.common_dir, context.variables);
            if (const auto counts = host.ahead_behind(range.tip, range.base))
                summary.commits = static_cast<std::int64_t>(counts->first);
            summary.changes = shortstat(git, {range.base + "..." + range.tip});
        }
        if (range.wip) summary.uncommitted = shortstat(git, {*range.wip + "^1", *range.wip});
    } catch (const Error& error) {
        summary.problem = error.message;
    }
    return summary;
}

} // namespace

std::string job_line(const session::Job& job) {
    std::string line = fmt::format("{} {}", job.number, session::job_state_name(job.state));
    if (job.started > 0 && job.ended >= job.started)
        line += " in " + base::format_duration(std::chrono::seconds(job.ended - job.started));
    if (!job.reason.empty() && job.reason != session::job_state_name(job.state))
        line += ": " + base::one_line(job.reason, 200);
    return line;
}

Summary summarize(const base::Context& context, const session::Entry& entry,
                  const std::vector<session::Job>& jobs) {
    Summary summary;
    summary.session = entry.session.name;
    for (const auto& job : jobs) {
        summary.jobs.push_back(job_line(job));
        if (session::is_final(job.state) && job.state != session::JobState::done) ++summary.failed_jobs;
    }
    for (const auto& repo : entry.session.repos)
        summary.repos.push_back(summarize_repo(context, entry, repo));
    return summary;
}

std::string render(const Summary& summary) {
    auto text = summary.session + "\n";
    for (const auto& job : summary.jobs) text += "  job " + job + "\n";
    for (const auto& repo : summary.repos) {
        text += fmt::format("  {}: ", base::visible(repo.repo));
        if (!repo.problem.empty()) {
            text += base::one_line(repo.problem) + "\n";
            continue;
        }
        if (repo.commits > 0)
            text +=
                fmt::format("{} {} on scad/{}/{}, {}", repo.commits, repo.commits == 1 ? "commit" : "commits",
                            summary.session, base::visible(repo.branch),
                            repo.changes.empty() ? "no change in all" : repo.changes);
        else
            text += "no commit";
        if (!repo.uncommitted.empty()) text += "; uncommitted: " + repo.uncommitted;
        if (!repo.not_saved.empty()) text += "; not saved: " + repo.not_saved;
        text += "\n";
    }
    return text;
}

} // namespace scad::review
