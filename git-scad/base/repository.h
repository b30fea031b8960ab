#pragma once

#include "base/variables.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace scad::base {

struct RefTip {
    std::string name; // full: refs/…
    std::string id;   // object id in hex
};

// Reads a host repo's refs and history in this process (libgit2, initialised at first use); repos that
// libgit2 1.5 cannot open (SHA-256, extensions.worktreeConfig, reftable) are asked through git, with the same
// results. Never for a repo that a session can write.
class Repository {
  public:
    // `git_dir`: the git directory or common directory. Fatal when it is none or belongs to somebody else
    // (with git's safe.directory hint).
    Repository(const std::filesystem::path& git_dir, const Variables& variables);
    ~Repository();
    Repository(Repository&&) noexcept;

    std::optional<std::string> resolve(const std::string& ref)
        const; // full ref name, symrefs followed -> commit id (peeled); empty: no such ref
    std::vector<RefTip> refs(const std::string& prefix) const; // sorted by name; not peeled
    bool contains(const std::string& id) const;                // whether the object is there
    // Commits reachable from `tip` and not from `base`, and the other way round. Empty when one is missing.
    std::optional<std::pair<std::size_t, std::size_t>> ahead_behind(const std::string& tip,
                                                                    const std::string& base) const;

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace scad::base
