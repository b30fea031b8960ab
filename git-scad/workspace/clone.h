#pragma once

#include "base/host_git.h"
#include "base/repository.h"
#include "base/variables.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace scad::workspace {

// What a session's repo is cloned from: facts about a repo of the host at one moment.
struct Origin {
    std::string name; // in the session: /work/<name>
    base::HostRepo host;
    std::vector<std::filesystem::path> objects; // the host's object directory and its alternates, resolved
                                                // flat (gitrepository-layout(5), objects/info/alternates)
    std::string base_commit;                    // object id
    std::string base_ref;     // the host's ref that the base is: "refs/heads/main", or of its origin
                              // "refs/remotes/origin/main"; empty for any other revision
    std::string base_branch;  // its short name, "main", which is origin/main in the session
    std::string start_commit; // where the work branch starts, when there is a commit on top of the base
    std::filesystem::path laid_over;   // a directory of scad's own whose files are laid over the checkout
    std::string origin_url;            // of the host's own `origin`, without user and password; empty: none
    std::vector<base::RefTip> tags;    // reachable from the base; not peeled
    std::string user_name, user_email; // the identity that commits in the session get
    std::vector<std::pair<std::string, std::string>>
        settings; // of the host repo that decide what a checkout looks like: core.autocrlf, core.eol … (name,
                  // value)
    std::vector<std::string>
        warnings; // submodules, LFS, partial clone …: what will be missing, one sentence each
    bool partial =
        false; // a partial clone whose base is complete: git inside must not take what is missing for damage
    base::Settings host_settings; // all settings of the host repo, so that nobody has to ask for them again
};

// Asks the host repo; `base` empty: its HEAD. Few processes (each costs 2 ms). Fatal: no repo at `path`,
// unknown revision (with the repo's name), no commit yet, an object directory that a session could not be
// given (partial clone with missing objects, unsupported format), each with what to do.
// With `fetched` the branches of the repo are those of its remote (refs/remotes/origin/*), which has no local
// ones.
Origin inspect_origin(const std::string& name, const std::filesystem::path& path, const std::string& base,
                      const base::Variables& variables, bool fetched = false);

// Writes a whole git directory for a session by hand (no git process): HEAD on `branch` at the base commit,
// config, packed-refs (branch, origin/<base>, tags), objects/info/alternates with the paths inside
// (/run/scad/objects/<name>/<n>), hooks empty, the host's shallow file when it has one, and the copied index.
// Tag objects are borrowed like everything else.
void write_git_directory(const std::filesystem::path& git_dir, const Origin& origin,
                         const std::string& branch, const std::filesystem::path& index);

// What write_git_directory() writes, as text. Pure. `tag_list`: "<ref> <id>" a line, for telling later which
// tags are not the host's.
std::string git_config(const Origin& origin);
std::string packed_refs(const Origin& origin, const std::string& branch);
std::string tag_list(const Origin& origin);

// A ref in the session that stands for a branch of the host: what `git fetch origin` inside is answered with.
std::string offered_ref(const std::string& branch);

// The name of object directory n of repo `name` inside a sandbox.
std::string inner_objects(const std::string& name, std::size_t n);

} // namespace scad::workspace
