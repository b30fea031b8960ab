#include "session/url_repos.h"

#include "base/error.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/lock.h"
#include "base/text.h"
#include "project/trust.h"
#include "workspace/origin_text.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace scad::session {
namespace {

constexpr const char* marker = "scad-fetched"; // its time is that of the last fetch that worked

// Only what a project may name, whatever url.<base>.insteadOf makes of it (git(1), GIT_ALLOW_PROTOCOL).
constexpr const char* protocols = "GIT_ALLOW_PROTOCOL=https:ssh:git:file";

std::string id_of(const std::string& url) { return base::sha256_hex(url).substr(0, 16); }

std::vector<std::string> git_words(const std::filesystem::path& repo, std::vector<std::string> args) {
    std::vector<std::string> all{"-c", "core.hooksPath=/dev/null", "--git-dir=" + repo.native()};
    std::move(args.begin(), args.end(), std::back_inserter(all));
    return all;
}

base::Command git_command(const base::Context& context, const std::filesystem::path& repo,
                          std::vector<std::string> args) {
    base::Command command = base::HostGit("/", context.variables).command(git_words(repo, std::move(args)));
    command.environment->emplace_back(protocols);
    return command;
}

void make_repo(const base::Context& context, const std::filesystem::path& repo, const std::string& url) {
    base::HostGit git("/", context.variables);
    git.run({"init", "-q", "--bare", "--template=", repo.native()});
    // Whole at once: parallel writers of a config lock each other out.
    base::replace_file(
        repo / "config",
        base::read_file(repo / "config") +
            fmt::format("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[remote \"origin\"]\n"
                        "\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
                        workspace::config_value(url)),
        0600, base::Durability::plain);
    base::make_directories(repo / "info", 0700);
}

// What git said last before it gave up.
std::string last_words(const std::string& err) {
    std::string said;
    for (const std::string& line : base::lines(err)) {
        if (line.starts_with("fatal: ") && said.empty()) said = line.substr(7);
    }
    return said.empty() ? base::one_line(base::trim(err), 200) : base::one_line(said, 200);
}

bool has_default_branch(const std::filesystem::path& repo, const base::Context& context) {
    return base::run(git_command(context, repo,
                                 {"rev-parse", "-q", "--verify", "refs/remotes/origin/HEAD^{commit}"}))
        .ok();
}

// Empty: it went well; otherwise why not.
std::string fetch(const base::Context& context, const std::filesystem::path& repo) {
    const bool seen = context.terminal.err_is_terminal() && !context.terminal.quiet();
    auto command = git_command(context, repo,
                               {"fetch", seen ? "--progress" : "--quiet", "--prune", "--no-auto-maintenance",
                                "--no-write-fetch-head", "--no-recurse-submodules", "origin"});
    // On a terminal git shows its progress, and asks there for what it needs.
    if (seen) command.err = base::Stream::inherit();
    const base::Result result = base::run(command);
    if (!result.ok()) return seen ? std::string("git fetch failed") : last_words(result.err);
    // The branch that a clone would check out: asked for when it is new, or not there any more.
    if (!has_default_branch(repo, context))
        base::run(git_command(context, repo, {"remote", "set-head", "origin", "--auto"}));
    base::replace_file(repo / marker, "", 0600, base::Durability::plain);
    return {};
}

std::string age_of(const std::filesystem::path& repo) {
    struct stat status {};
    if (::stat((repo / marker).c_str(), &status) != 0) return "earlier";
    return base::format_age(status.st_mtim.tv_sec, base::unix_now());
}

std::filesystem::path fetched(const base::Context& context, const project::Repo& repo) {
    auto path = url_repo_path(context.paths, repo.url);
    const auto url = base::visible(workspace::without_credentials(repo.url));
    auto& terminal = context.terminal;
    base::make_directories(path.parent_path());
    const auto lock = base::FileLock::acquire(
        path.parent_path() / fmt::format(".{}.lock", id_of(repo.url)),
        [&] { terminal.note(fmt::format("waiting for another command that fetches repo '{}'", repo.name)); });
    base::sweep_temporaries(path.parent_path());
    terminal.progress(fmt::format("fetching repo '{}' from {}", repo.name, url));
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        const auto why = fetch(context, path);
        terminal.progress("");
        if (!why.empty())
            terminal.warning(
                fmt::format("repo '{}' could not be fetched from {}, and is what was fetched {}: {}",
                            repo.name, url, age_of(path), base::visible(why)));
        return path;
    }
    base::WholeDirectory whole(path.parent_path());
    make_repo(context, whole.path(), repo.url);
    const auto why = fetch(context, whole.path());
    terminal.progress("");
    if (!why.empty())
        throw fatal("cannot fetch repo '{}' from {}: {}", repo.name, url, why)
            .with_hint("git ls-remote {}", base::shell_quote(repo.url));
    if (!whole.commit(path.filename().native()))
        throw fatal("cannot put repo '{}' in place: '{}' exists", repo.name, path.native());
    terminal.note(fmt::format("fetched repo '{}' from {}", repo.name, url));
    return path;
}

} // namespace

std::filesystem::path url_repo_path(const base::Paths& paths, const std::string& url) {
    return paths.state / "repos" / (id_of(url) + ".git");
}

void fetch_url_repos(const base::Context& context, project::Project& project) {
    project::require_trust(project, context);
    for (auto& repo : project.repos) {
        if (!repo.url.empty() && repo.path.empty()) repo.path = fetched(context, repo);
    }
}

} // namespace scad::session
