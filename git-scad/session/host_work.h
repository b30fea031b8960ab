#pragma once

#include "base/context.h"
#include "workspace/clone.h"
#include "workspace/host_changes.h"

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace scad::session {

// What of the host's uncommitted work is not in a session that is being started: a person who goes on from
// there would hardly notice. Looks in the background, for a few seconds at most; not with -q.
class LeftBehind {
  public:
    // The origins must outlive it.
    LeftBehind(const base::Context& context, const std::vector<workspace::Origin>& origins);
    // Waits for the answers and says what there is, one line a repo.
    void tell();

  private:
    const base::Context& context_;
    std::vector<std::pair<std::string, std::future<std::optional<workspace::HostChanges>>>> looking_;
};

// Makes the commit of the host's uncommitted work that a session starts from, with its objects in the git
// directory that the working copy in `repo_directory` will have; says what comes along, and adds what stays
// behind to the warnings. Nothing uncommitted: the origin stays as it is.
void take_changes(const base::Context& context, workspace::Origin& origin,
                  const std::filesystem::path& repo_directory);

} // namespace scad::session
