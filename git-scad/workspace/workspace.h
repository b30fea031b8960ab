#pragma once

#include "base/paths.h"
#include "engine/engine.h"
#include "workspace/base_tree.h"
#include "workspace/clone.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scad::workspace {

// What make() needs beside the repo.
struct Making {
    const base::Paths& paths;
    const engine::Engine& engine;
    std::function<void(const std::string&)> progress; // one line when there is work to do; may be empty
};

// A working copy of a repo at a commit, below a directory of its session.
class Workspace {
  public:
    virtual ~Workspace() = default;
    virtual std::string_view name() const = 0; // "overlay"
    // The key of the base tree that a working copy stands on for as long as it lives; empty: on none.
    virtual std::string tree_key(const Origin& origin) const = 0;
    // Makes the working copy in `directory` (state/sessions/<s>/repos/<repo>), which nothing but scad has
    // written to: its git directory in `git`, a file `lock` that whoever mounts it holds, its files. The
    // index is valid: the first `git status` reads no file. Fatal when the files cannot be checked out.
    virtual void make(const std::filesystem::path& directory, const Origin& origin, const std::string& branch,
                      const Making& making) const = 0;
    // The directories of a working copy that hold what its session wrote: what a fork copies.
    virtual std::vector<std::string> layers() const = 0;
    // Makes `directory` as make() does, but for its layers, which are empty: for copies of another's.
    virtual void make_empty(const std::filesystem::path& directory) const = 0;
    // The mounts that show it at /work/<repo>, with its git directory and the object directories (read-only)
    // it borrows from. `tree`: that of its key.
    virtual std::vector<engine::Mount> mounts(const std::filesystem::path& directory, const std::string& repo,
                                              const BaseTree& tree,
                                              const std::vector<std::filesystem::path>& objects) const = 0;
};

// "overlay", "copy". Others are fatal.
std::unique_ptr<Workspace> make_workspace(std::string_view name);
// Copy-on-write over a base tree: cheap whatever the size of the repo.
std::unique_ptr<Workspace> make_overlay_workspace();
// A plain checkout, for where overlays cannot be mounted.
std::unique_ptr<Workspace> make_copy_workspace();

// The kind for new sessions: what `setting` (scad.workspace) says; for "auto" or none "overlay" where one can
// be mounted in the state directory, which is tried, else "copy". Fatal: another word.
std::string choose_workspace(const std::string& setting, const base::Paths& paths);

// Mounts of only a git directory, read-only at /work/<repo>/.git, and its objects: for fetches from a stopped
// session.
std::vector<engine::Mount> git_only_mounts(const std::filesystem::path& directory, const std::string& repo,
                                           const std::vector<std::filesystem::path>& objects);

} // namespace scad::workspace
