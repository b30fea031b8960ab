#pragma once

#include "base/process.h"
#include "base/variables.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::base {

// The user's git settings as one `git config -z --list` in `directory` told them (system, global, the repo's,
// -c). Names are "section.key" or "section.sub.key", section and key in lower case as git prints them.
class Settings {
  public:
    static Settings read(const Variables& variables, const std::filesystem::path& directory);
    explicit Settings(std::vector<std::pair<std::string, std::string>> entries = {})
        : entries_(std::move(entries)) {}

    std::optional<std::string> get(std::string_view name) const; // the last value
    std::vector<std::string> all(std::string_view name) const;
    bool get_bool(std::string_view name,
                  bool otherwise) const; // git's words for it; anything else is fatal with the name
    std::int64_t get_int(std::string_view name,
                         std::int64_t otherwise) const; // with k, m, g; anything else is fatal with the name
    const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

  private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

// The last value of `name` in the user's own configuration (system, global, command line), and never one that
// a repo's brings along: for settings that name what is run. Asks git; empty: not set there.
std::optional<std::string> own_setting(const std::string& name, const Variables& variables,
                                       const std::filesystem::path& directory);

// A repo of the host, as `git rev-parse` sees it. Never one that a session can write.
struct HostRepo {
    std::filesystem::path worktree;   // top of the working tree; empty for a bare repo
    std::filesystem::path git_dir;    // of this worktree
    std::filesystem::path common_dir; // shared by all worktrees: identifies the repo
    std::filesystem::path objects;    // the object directory
    std::string object_format;        // "sha1", "sha256"
    bool shallow = false;
};

// The repo that `path` lies in (or that it is). Empty when it lies in none. Fatal, with git's own words, when
// git refuses it (safe.directory).
std::optional<HostRepo> find_host_repo(const std::filesystem::path& path, const Variables& variables);

// git on a host repo, with the caller's configuration but never the caller's GIT_DIR. `directory` is handed
// to git as -C.
class HostGit {
  public:
    HostGit(std::filesystem::path directory, const Variables& variables);

    Result try_run(std::vector<std::string> args, std::string input = {}) const; // any status
    std::string run(std::vector<std::string> args,
                    std::string input = {}) const;         // must succeed (run_ok); output as it is
    std::string line(std::vector<std::string> args) const; // run, without the final newline
    Command command(std::vector<std::string> args) const;  // to be started by the caller

  private:
    std::filesystem::path directory_;
    std::vector<std::string> environment_;
};

} // namespace scad::base
