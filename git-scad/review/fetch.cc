#include "review/fetch.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/host_git.h"
#include "base/process.h"
#include "base/repository.h"
#include "base/sync.h"
#include "base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

namespace scad::review {
namespace {

constexpr std::chrono::seconds fetch_time{1200};

std::string remotes_prefix(const std::string& session) { return "refs/remotes/scad/" + session + "/"; }

std::string session_prefix(const std::string& session) { return "refs/scad-session/" + session + "/"; }

// git finds the helper on PATH; the one that belongs to this program comes first.
std::vector<std::string> with_helper_on_path(std::vector<std::string> environment) {
    const auto directory = base::sibling_program("git-remote-scad").parent_path().string();
    for (auto& entry : environment)
        if (entry.starts_with("PATH=")) {
            entry.insert(5, directory + ":");
            return environment;
        }
    environment.push_back("PATH=" + directory + ":/usr/bin:/bin");
    return environment;
}

Fetched fetch_one(const session::Session& session, const session::SessionRepo& repo,
                  const base::Variables& variables) {
    Fetched fetched{session.name, repo.name, false, {}};
    try {
        auto command =
            base::HostGit(repo.host, variables)
                .command({"-c", "core.fsync=all", "-c", "protocol.scad.allow=always", "fetch",
                          "--no-write-fetch-head", "--no-tags", "--no-recurse-submodules",
                          "--no-auto-maintenance", "--prune",
                          fmt::format("scad::{}/{}", session.name, repo.name),
                          fmt::format("+refs/session/*:{}*", remotes_prefix(session.name)),
                          fmt::format("+refs/scad/wip*:{}wip*", session_prefix(session.name)),
                          fmt::format("+refs/session-lost/*:{}lost/*", session_prefix(session.name))});
        command.environment = with_helper_on_path(command.environment.value_or(variables.entries()));
        command.timeout = fetch_time;
        command.output_limit = std::size_t{1} << 20;
        const auto result = base::run(command);
        fetched.ok = result.ok();
        fetched.output = base::visible(result.err, true);
        if (result.timed_out)
            fetched.output +=
                fmt::format("git fetch took longer than {}\n", base::format_duration(fetch_time));
    } catch (const Error& error) {
        fetched.output = base::render_error(error);
    }
    return fetched;
}

void maintain(const session::SessionRepo& repo, const base::Variables& variables) {
    base::HostGit(repo.host, variables).try_run({"maintenance", "run", "--auto", "--quiet"});
}

std::map<std::string, std::string> quarantine_refs(const session::Session& session,
                                                   const session::SessionRepo& repo,
                                                   const base::Variables& variables) {
    std::map<std::string, std::string> refs;
    const auto directory = session.quarantine(repo.name);
    if (!std::filesystem::exists(directory / "HEAD"))
        throw fatal("nothing of '{}' was fetched yet", repo.name)
            .with_hint("git scad code fetch {}", session.name);
    const base::Repository quarantine(directory, variables);
    for (const auto* prefix : {"refs/session/", "refs/scad/", "refs/session-lost/"})
        for (const auto& tip : quarantine.refs(prefix)) refs.emplace(tip.name, tip.id);
    return refs;
}

} // namespace

std::map<std::string, std::string> expected_refs(const std::string& session,
                                                 const std::map<std::string, std::string>& quarantine) {
    constexpr std::string_view branches = "refs/session/";
    constexpr std::string_view lost = "refs/session-lost/";
    constexpr std::string_view snapshots = "refs/scad/";
    std::map<std::string, std::string> expected;
    for (const auto& [name, id] : quarantine) {
        if (name.starts_with(branches))
            expected.emplace(remotes_prefix(session) + name.substr(branches.size()), id);
        else if (name.starts_with(lost))
            expected.emplace(session_prefix(session) + "lost/" + name.substr(lost.size()), id);
        else if (name.starts_with(snapshots))
            expected.emplace(session_prefix(session) + name.substr(snapshots.size()), id);
    }
    return expected;
}

std::vector<Fetched> fetch_sessions(const std::vector<session::Session>& sessions,
                                    const base::Context& context) {
    struct Task {
        const session::Session* session;
        const session::SessionRepo* repo;
        std::size_t place;
    };
    std::map<std::filesystem::path, std::vector<Task>> by_host;
    std::size_t count = 0;
    for (const auto& session : sessions)
        for (const auto& repo : session.repos) by_host[repo.common_dir].push_back({&session, &repo, count++});
    std::vector<Fetched> fetched(count);
    std::vector<std::thread> threads;
    threads.reserve(by_host.size());
    for (const auto& [host, tasks] : by_host)
        threads.emplace_back([&fetched, &context, &tasks = tasks] {
            for (const auto& task : tasks)
                fetched[task.place] = fetch_one(*task.session, *task.repo, context.variables);
            maintain(*tasks.front().repo, context.variables);
        });
    for (auto& thread : threads) thread.join();
    return fetched;
}

void require_saved(const session::Session& session, const base::Context& context) {
    for (const auto& repo : session.repos) {
        const base::Repository host(repo.common_dir, context.variables);
        std::map<std::string, std::string> held;
        for (const auto& prefix : {remotes_prefix(session.name), session_prefix(session.name)})
            for (const auto& tip : host.refs(prefix)) held.emplace(tip.name, tip.id);
        const auto expected = expected_refs(session.name, quarantine_refs(session, repo, context.variables));
        for (const auto& [name, id] : expected) {
            const auto found = held.find(name);
            if (found == held.end() || found->second != id || !host.contains(id))
                throw fatal("'{}' of session '{}' is not saved: '{}' does not hold {}", repo.name,
                            session.name, name, id.substr(0, 12))
                    .with_hint("git scad code fetch {}", session.name);
        }
        base::sync_file_system(repo.common_dir);
    }
}

void require_objects_saved(const session::Session& session, const base::Context& context) {
    for (const auto& repo : session.repos) {
        std::error_code error;
        if (!std::filesystem::exists(repo.common_dir, error))
            throw fatal("the host repo '{}' is not there", repo.common_dir.string());
        const base::Repository host(repo.common_dir, context.variables);
        for (const auto& [name, id] : quarantine_refs(session, repo, context.variables))
            if (!host.contains(id))
                throw fatal("'{}' does not hold {}, which was saved of it", repo.common_dir.string(),
                            id.substr(0, 12));
        base::sync_file_system(repo.common_dir);
    }
}

} // namespace scad::review
