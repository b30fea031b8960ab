#pragma once

#include "engine/engine.h"
#include "workspace/base_tree.h"
#include "workspace/clone.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scad::workspace {

// A working copy of a repo at a commit, below a directory of its session.
class Workspace {
  public:
    virtual ~Workspace() = default;
    virtual std::string_view name() const = 0; // "overlay"
    // Makes the working copy in `directory` (state/sessions/<s>/repos/<repo>): git, upper, work, lock. Cheap
    // whatever the size of the repo.
    virtual void make(const std::filesystem::path& directory, const Origin& origin, const BaseTree& tree,
                      const std::string& branch) const = 0;
    // The directories of a working copy that hold what its session wrote: what a fork copies.
    virtual std::vector<std::string> layers() const = 0;
    // Makes `directory` as make() does, but for its layers, which are empty: for copies of another's.
    virtual void make_empty(const std::filesystem::path& directory) const = 0;
    // The mounts that show it at /work/<repo>, with its git directory and the object directories (read-only)
    // it borrows from.
    virtual std::vector<engine::Mount> mounts(const std::filesystem::path& directory, const std::string& repo,
                                              const BaseTree& tree,
                                              const std::vector<std::filesystem::path>& objects) const = 0;
};

// "overlay". Others are fatal ("not in this build").
std::unique_ptr<Workspace> make_workspace(std::string_view name);

// Mounts of only a git directory, read-only at /work/<repo>/.git, and its objects: for fetches from a stopped
// session.
std::vector<engine::Mount> git_only_mounts(const std::filesystem::path& directory, const std::string& repo,
                                           const std::vector<std::filesystem::path>& objects);

} // namespace scad::workspace
