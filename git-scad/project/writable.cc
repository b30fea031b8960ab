#include "project/writable.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "project/rules.h"

#include <algorithm>
#include <optional>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found && !error;
}

// What git takes for a repo: a worktree (.git is a directory or a file), or a git directory itself.
bool is_repo(const fs::path& directory) {
    if (is_there(directory / ".git")) return true;
    return is_there(directory / "HEAD") && is_there(directory / "objects") && is_there(directory / "refs");
}

// Sockets, git repos and .ssh directories below. Bounded in depth and number: a data set of a million files
// must not hold up a start.
std::optional<std::string> find_inside(const fs::path& directory) {
    constexpr int deepest = 4;
    constexpr int most = 20000;
    std::error_code error;
    fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, error);
    int seen = 0;
    for (; !error && entry != fs::recursive_directory_iterator() && seen < most;
         entry.increment(error), ++seen) {
        std::error_code ignored;
        auto type = entry->symlink_status(ignored).type();
        if (type == fs::file_type::socket) {
            return fmt::format("there is a socket in it, '{}'", entry->path().native());
        }
        // A worktree's is a directory or a file, whatever it lies in.
        if (entry->path().filename() == ".git") {
            return fmt::format(
                "it holds the git repo '{}', and the host must never run git where a session can write",
                entry->path().parent_path().native());
        }
        if (type != fs::file_type::directory) continue;
        if (entry->path().filename() == ".ssh") {
            return fmt::format("it holds '{}'", entry->path().native());
        }
        if (is_repo(entry->path())) {
            return fmt::format(
                "it holds the git repo '{}', and the host must never run git where a session can write",
                entry->path().native());
        }
        if (entry.depth() + 1 >= deepest) entry.disable_recursion_pending();
    }
    return {};
}

} // namespace

Protected protected_places(const base::Paths& paths, const base::Variables& variables) {
    Protected protect;
    protect.homes.push_back(real_path(paths.home));
    protect.homes.emplace_back("/root");
    for (const auto& line : base::lines(base::read_if_exists("/etc/passwd").value_or(""))) {
        auto fields = base::split(line, ':');
        // Homes of system accounts are places such as / and /usr/sbin; people's start at 1000.
        if (fields.size() < 7 || fields[2].size() < 4 || !fields[5].starts_with('/')) continue;
        auto home = real_path(fields[5]);
        if (home != "/" && home != "/nonexistent") protect.homes.push_back(home);
    }
    for (const auto& place :
         {paths.state, paths.cache, paths.config, paths.home / ".ssh", paths.home / ".config"}) {
        protect.places.push_back(real_path(place));
    }
    for (const auto* place : {"/run", "/dev", "/proc", "/sys"}) protect.places.emplace_back(place);
    auto runtime = variables.get("XDG_RUNTIME_DIR").value_or("");
    if (runtime.starts_with('/')) protect.places.push_back(real_path(runtime));
    auto path = variables.get("PATH").value_or("");
    for (const auto& directory : base::split(path, ':')) {
        if (directory.starts_with('/') && directory != "/") protect.places.push_back(real_path(directory));
    }
    return protect;
}

std::string writable_problem(const fs::path& directory, const Protected& protect) {
    const auto& path = directory.native();
    for (const auto& home : protect.homes) {
        if (path == home.native()) return "it is a home directory";
        if (is_at_or_below(home.native(), path))
            return fmt::format("the home directory '{}' lies in it", home.native());
    }
    for (auto above = directory;; above = above.parent_path()) {
        if (is_repo(above)) {
            auto what = above == directory ? std::string("it is a git repo")
                                           : fmt::format("it lies in the git repo '{}'", above.native());
            return what + ", and the host must never run git where a session can write";
        }
        if (above == above.parent_path()) break;
    }
    for (const auto& place : protect.places) {
        if (is_at_or_below(path, place.native()) || is_at_or_below(place.native(), path)) {
            return fmt::format("'{}' must stay out of a session's reach", place.native());
        }
    }
    for (const auto& part : directory) {
        if (part == ".ssh") return "keys of ssh lie there";
    }
    return find_inside(directory).value_or("");
}

} // namespace scad::project
