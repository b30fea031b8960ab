#pragma once

#include "base/variables.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// The names of refs in a host repo without a process where they are files (gitrepository-layout(5)), through
// git for any other kind of storage. Never for a repo that a session can write.
namespace scad::workspace {

// Whether the refs of this common directory are loose files and packed-refs.
bool has_ref_files(const std::filesystem::path& common_dir);

// The refs that start with `prefix`, sorted, each once. A prefix that ends in '/' names all refs below it
// ("refs/tags/"); any other names one ref ("refs/heads/main"). Symbolic refs count whether or not what they
// point to exists.
std::vector<std::string> ref_names(const std::filesystem::path& common_dir, const std::string& prefix,
                                   const base::Variables& variables);

// Makes a ref that does not exist yet: by git's own way with files (a lock file beside it, written and
// renamed), else by `git update-ref`. The name must be one that git takes. Without
// reflog; hooks are not run; as durable as git makes its refs (core.fsync of git-config(1), by default not
// forced to disk). Fatal when somebody holds the ref's lock.
void make_ref(const std::filesystem::path& common_dir, const std::string& name, const std::string& id,
              const base::Variables& variables);

// The names in a packed-refs file that start with `prefix`, or are it. Pure.
std::vector<std::string> packed_ref_names(std::string_view packed_refs, std::string_view prefix);

} // namespace scad::workspace
