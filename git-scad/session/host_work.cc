#include "session/host_work.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <chrono>
#include <fmt/format.h>

namespace scad::session {
namespace {

constexpr std::chrono::seconds patience{3}; // for what is only told

} // namespace

LeftBehind::LeftBehind(const base::Context& context, const std::vector<workspace::Origin>& origins)
    : context_(context) {
    if (context.terminal.quiet()) return;
    for (const auto& origin : origins)
        looking_.emplace_back(origin.name,
                              std::async(std::launch::async, [&variables = context.variables, &origin] {
                                  return workspace::find_host_changes(origin, variables, patience);
                              }));
}

void LeftBehind::tell() {
    for (auto& [name, future] : looking_) {
        try {
            const auto changes = future.get();
            if (!changes)
                context_.terminal.note(
                    fmt::format("repo '{}': whether it has uncommitted work takes long to find out", name));
            else if (!changes->empty())
                context_.terminal.note(base::visible(fmt::format(
                    "repo '{}': {} of the host are not in the session; --with-changes takes them along", name,
                    workspace::describe_changes(*changes))));
        } catch (const Error&) { // no reason to fail what has been started
        }
    }
    looking_.clear();
}

void take_changes(const base::Context& context, workspace::Origin& origin,
                  const std::filesystem::path& repo_directory) {
    context.terminal.progress(fmt::format("taking along the uncommitted work of repo '{}'", origin.name));
    const auto changes = workspace::find_host_changes(origin, context.variables, {});
    const auto scratch = repo_directory / "changes";
    for (const auto& directory : {scratch, repo_directory / "git"}) base::make_directories(directory);
    origin.start_commit = workspace::commit_host_changes(origin, *changes, repo_directory / "git" / "objects",
                                                         scratch, context.variables);
    base::remove_tree(scratch);
    context.terminal.progress("");
    for (const auto& nested : changes->nested)
        origin.warnings.push_back(fmt::format("'{}' is a repo of its own and stays behind", nested));
    for (const auto& submodule : changes->submodules)
        origin.warnings.push_back(
            fmt::format("the uncommitted work in submodule '{}' stays behind", submodule));
    if (!origin.start_commit.empty())
        context.terminal.note(base::visible(fmt::format("/work/{}: starts with {} of the host", origin.name,
                                                        workspace::describe_changes(*changes))));
}

} // namespace scad::session
