#include "workspace/include.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scad::workspace {

namespace {

namespace fs = std::filesystem;

bool is_git_name(std::string name) {
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return name == ".git";
}

// The directories above a path: "a", "a/b" of "a/b/c".
std::vector<std::string> parents_of(const std::string& path) {
    std::vector<std::string> parents;
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
        parents.push_back(path.substr(0, slash));
    return parents;
}

class Includer {
  public:
    Includer(Origin& origin, fs::path to, const base::Variables& variables)
        : origin_(origin),
          to_(std::move(to)),
          git_(origin.host.worktree, variables),
          top_(base::open_file(origin.host.worktree, O_PATH | O_DIRECTORY)) {}

    void copy(const std::vector<std::string>& paths) {
        find_tracked(paths);
        for (const std::string& path : paths) copy_named(path);
        warn_of_visible(paths);
    }

  private:
    Error refused(const std::string& path, std::string_view why) const {
        return fatal("cannot include '{}' of repo '{}': {}", path, origin_.name, why);
    }

    // What the base has of these paths and below them. What only the host's uncommitted work has may come
    // twice: it is the same.
    void find_tracked(const std::vector<std::string>& paths) {
        const auto list = [&](bool recursive, const std::vector<std::string>& of) {
            std::vector<std::string> args{"--literal-pathspecs", "ls-tree", "-z", "--full-tree"};
            if (recursive) args.emplace_back("-r");
            args.insert(args.end(), {origin_.base_commit, "--"});
            args.insert(args.end(), of.begin(), of.end());
            return git_.run(std::move(args));
        };
        for (const std::string& line : base::split(list(true, paths), '\0')) {
            if (const auto tab = line.find('\t'); tab != std::string::npos)
                base_.insert(line.substr(tab + 1));
        }
        for (const std::string& path : paths) {
            for (const std::string& parent : parents_of(path)) {
                const std::string found = list(false, {parent});
                if (!found.empty() && !found.starts_with("040000 "))
                    throw refused(path, fmt::format("'{}' is a tracked file or link", parent));
            }
        }
    }

    // Without following a link in any part of it, and without leaving the repo.
    base::Fd open_at_top(const std::string& path, int flags) const {
        open_how how{};
        how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        return base::Fd(static_cast<int>(::syscall(SYS_openat2, top_.get(), path.c_str(), &how, sizeof how)));
    }

    void copy_named(const std::string& path) {
        for (const std::string& part : base::split(path, '/'))
            if (is_git_name(part)) throw refused(path, "it lies in a git directory");
        if (base_.contains(path)) throw refused(path, "it is a tracked file, which the session has");
        for (const std::string& parent : parents_of(path)) make_parent(path, parent);
        std::vector<std::string> pending{path};
        while (!pending.empty()) { // not recursive on the stack, whatever the depth
            const std::string next = std::move(pending.back());
            pending.pop_back();
            copy_one(next, next == path, pending);
        }
    }

    void make_parent(const std::string& path, const std::string& parent) {
        const base::Fd fd = open_at_top(parent, O_PATH);
        struct stat status {};
        if (!fd || ::fstat(fd.get(), &status) != 0)
            throw refused(path, fmt::format("'{}': {}", parent, base::errno_text(errno)));
        if (S_ISLNK(status.st_mode)) throw refused(path, fmt::format("'{}' is a link", parent));
        if (!S_ISDIR(status.st_mode)) throw refused(path, fmt::format("'{}' is no directory", parent));
        base::make_directories(to_ / parent, status.st_mode & 0777);
    }

    void copy_one(const std::string& path, bool named, std::vector<std::string>& pending) {
        const base::Fd fd = open_at_top(path, O_PATH);
        struct stat status {};
        if (!fd || ::fstat(fd.get(), &status) != 0) throw refused(path, base::errno_text(errno));
        const fs::path target = to_ / path;
        if (S_ISDIR(status.st_mode)) {
            enter(path, status.st_mode & 0777, pending);
        } else if (S_ISREG(status.st_mode)) {
            copy_file(path, target);
        } else if (S_ISLNK(status.st_mode)) {
            copy_link(fd, path, target);
        } else if (named) {
            throw refused(path, "it is neither a file, a directory nor a link");
        } else {
            origin_.warnings.push_back(
                fmt::format("'{}' is left out: it is neither a file, a directory nor a link", path));
        }
    }

    void enter(const std::string& path, mode_t mode, std::vector<std::string>& pending) {
        base::Fd fd = open_at_top(path, O_RDONLY | O_DIRECTORY);
        if (!fd) throw refused(path, base::errno_text(errno));
        base::make_directories(to_ / path, mode | 0700);
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
        if (!stream) throw refused(path, base::errno_text(errno));
        fd.release();
        for (const dirent* entry = ::readdir(stream.get()); entry != nullptr;
             entry = ::readdir(stream.get())) {
            const std::string name = entry->d_name;
            if (name == "." || name == "..") continue;
            if (is_git_name(name)) throw refused(path, "it holds a git repository");
            std::string below = fmt::format("{}/{}", path, name);
            if (!base_.contains(below)) pending.push_back(std::move(below));
        }
    }

    void copy_file(const std::string& path, const fs::path& target) {
        const base::Fd source = open_at_top(path, O_RDONLY | O_NONBLOCK);
        struct stat status {};
        if (!source || ::fstat(source.get(), &status) != 0) throw refused(path, base::errno_text(errno));
        if (!S_ISREG(status.st_mode)) throw refused(path, "it is being changed");
        const base::Fd copy = base::open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        for (;;) {
            const ssize_t count =
                ::copy_file_range(source.get(), nullptr, copy.get(), nullptr, std::size_t{1} << 30, 0);
            if (count > 0 || (count < 0 && errno == EINTR)) continue;
            if (count == 0) break;
            if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
                throw system_error(errno, "cannot copy '{}'", path);
            copy_by_hand(source, copy, path);
            break;
        }
        const timespec times[2] = {status.st_atim, status.st_mtim};
        if (::fchmod(copy.get(), status.st_mode & 0777) != 0 || ::futimens(copy.get(), times) != 0)
            throw system_error(errno, "cannot copy '{}'", path);
    }

    static void copy_by_hand(const base::Fd& source, const base::Fd& copy, const std::string& path) {
        std::array<char, 65536> buffer{};
        for (;;) {
            const ssize_t count = ::read(source.get(), buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) throw system_error(errno, "cannot read '{}'", path);
            if (count == 0) return;
            if (!base::write_all(copy.get(), {buffer.data(), static_cast<std::size_t>(count)}))
                throw system_error(errno, "cannot copy '{}'", path);
        }
    }

    void copy_link(const base::Fd& fd, const std::string& path, const fs::path& target) {
        std::array<char, PATH_MAX> buffer{};
        const ssize_t size = ::readlinkat(fd.get(), "", buffer.data(), buffer.size());
        if (size < 0) throw refused(path, base::errno_text(errno));
        const std::string to(buffer.data(), static_cast<std::size_t>(size));
        if (!stays_inside(path, to))
            throw refused(path, fmt::format("it is a link out of the repo, to '{}'", to));
        if (::symlink(to.c_str(), target.c_str()) != 0) throw system_error(errno, "cannot copy '{}'", path);
    }

    // What git does not ignore is shown as untracked in the session, and can be committed there.
    void warn_of_visible(const std::vector<std::string>& paths) {
        std::string input;
        for (const std::string& path : paths) input.append(path).push_back('\0');
        const base::Result result =
            git_.try_run({"check-ignore", "--no-index", "-z", "--stdin"}, std::move(input));
        const std::vector<std::string> ignored = base::split(result.out, '\0');
        for (const std::string& path : paths) {
            if (std::find(ignored.begin(), ignored.end(), path) == ignored.end())
                origin_.warnings.push_back(
                    fmt::format("'{}' is included but not ignored by git: the session can commit it", path));
        }
    }

    Origin& origin_;
    fs::path to_;
    base::HostGit git_;
    base::Fd top_;
    std::set<std::string> base_; // tracked in the base, of the paths and below them
};

} // namespace

bool stays_inside(const std::string& path, const std::string& target) {
    if (target.empty() || target.front() == '/') return false;
    const fs::path leads = (fs::path(path).parent_path() / target).lexically_normal();
    return leads.empty() || *leads.begin() != "..";
}

void copy_included(Origin& origin, const std::vector<std::string>& paths, const fs::path& to,
                   const base::Variables& variables) {
    base::make_directories(to);
    Includer(origin, to, variables).copy(paths);
}

} // namespace scad::workspace
