// Walks over whole directory trees. What lies in them may have been written by somebody hostile (the remains
// of a session), so nothing is recursive on the stack, no path is put together, no link is followed, and only
// one directory is open at a time whatever the depth.

#include "base/error.h"
#include "base/file.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scad::base {

namespace {

struct Entry {
    std::string name;
    bool directory = false;
};

// A directory on the way from the top to where the walk stands.
struct Level {
    std::string name;                 // in its parent
    std::vector<std::string> pending; // directories in it that are still to be visited
    dev_t device = 0;
    ino_t inode = 0;
};

// Opens a directory below `parent`: no link, no other mount (EXDEV).
Fd open_directory(int parent, const char* name) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    return Fd(static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how)));
}

// The same for one that is about to be removed: it gets the permissions that this takes.
Fd open_for_removal(int parent, const char* name) {
    Fd fd = open_directory(parent, name);
    if (!fd && errno == EACCES) {
        const Fd handle(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (handle && ::chmod(fmt::format("/proc/self/fd/{}", handle.get()).c_str(), 0700) == 0) {
            fd = open_directory(parent, name);
        }
    }
    struct stat status {};
    if (fd && ::fstat(fd.get(), &status) == 0 && (status.st_mode & 0700) != 0700) ::fchmod(fd.get(), 0700);
    return fd;
}

// All of a directory but "." and "..". What has no type in the directory is asked for it.
std::vector<Entry> entries_of(int directory) {
    struct Header { // linux_dirent64 of getdents64(2)
        std::uint64_t inode;
        std::int64_t offset;
        unsigned short length;
        unsigned char type;
    };
    constexpr std::size_t name_offset = 19;
    constexpr std::size_t size = std::size_t{64} << 10;
    const auto buffer = std::make_unique_for_overwrite<char[]>(size);
    std::vector<Entry> entries;
    for (;;) {
        const ssize_t count = ::getdents64(directory, buffer.get(), size);
        if (count < 0) throw system_error(errno, "cannot read a directory");
        if (count == 0) return entries;
        for (const char* at = buffer.get(); at < buffer.get() + count;) {
            Header header{};
            std::char_traits<char>::copy(reinterpret_cast<char*>(&header), at, name_offset);
            const std::string_view name = at + name_offset;
            at += header.length;
            if (name == "." || name == "..") continue;
            bool is_directory = header.type == DT_DIR;
            if (header.type == DT_UNKNOWN) {
                struct stat status {};
                is_directory =
                    ::fstatat(directory, std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISDIR(status.st_mode);
            }
            entries.push_back({std::string(name), is_directory});
        }
    }
}

class Walk {
  public:
    explicit Walk(const std::filesystem::path& top) : top_(top) {}
    virtual ~Walk() = default;
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    // Goes through the directory `name` of `parent`.
    void run(int parent, const std::string& name) {
        if (!enter(parent, name)) return;
        while (!levels_.empty()) {
            if (!levels_.back().pending.empty()) {
                std::string next = std::move(levels_.back().pending.back());
                levels_.back().pending.pop_back();
                enter(at_.get(), next);
                continue;
            }
            const Level done = std::move(levels_.back());
            levels_.pop_back();
            if (!levels_.empty()) go_up();
            leave(levels_.empty() ? parent : at_.get(), done.name);
        }
    }

    const std::optional<Error>& failure() const { return failure_; }

  protected:
    virtual Fd open(int parent, const char* name) = 0;
    virtual void file(int directory, const std::string& name) = 0; // all but directories
    virtual void directory(int fd) = 0;                            // when it is entered
    virtual void leave(int parent, const std::string& name) = 0;   // when all below it is done
    virtual void unopened(int parent, const std::string& name, int reason) = 0;

    // The first one is what the caller hears; the walk goes on, so that one bad entry does not keep all the
    // others.
    void failed(const std::string& name, int reason) {
        if (failure_) return;
        std::filesystem::path path = top_;
        for (std::size_t i = 1; i < levels_.size() && i < 20; ++i) path /= levels_[i].name;
        if (!levels_.empty()) path /= name;
        failure_ = system_error(reason, "cannot go through '{}'", path.native());
    }

  private:
    bool enter(int parent, const std::string& name) {
        Fd fd = open(parent, name.c_str());
        struct stat status {};
        if (!fd || ::fstat(fd.get(), &status) != 0) {
            unopened(parent, name, errno);
            return false;
        }
        directory(fd.get());
        std::vector<Entry> entries = entries_of(fd.get());
        Level level{name, {}, status.st_dev, status.st_ino};
        for (Entry& entry : entries) {
            if (entry.directory) {
                level.pending.push_back(std::move(entry.name));
            } else {
                file(fd.get(), entry.name);
            }
        }
        levels_.push_back(std::move(level));
        at_ = std::move(fd);
        return true;
    }

    // To the parent by "..", which is looked at again: somebody may have moved this directory meanwhile.
    void go_up() {
        Fd up(::openat(at_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct stat status {};
        if (!up || ::fstat(up.get(), &status) != 0)
            throw system_error(errno, "cannot go through '{}'", top_.native());
        if (status.st_dev != levels_.back().device || status.st_ino != levels_.back().inode) {
            throw fatal("cannot go through '{}': it is being changed", top_.native());
        }
        at_ = std::move(up);
    }

    std::filesystem::path top_;
    std::vector<Level> levels_;
    Fd at_; // of levels_.back()
    std::optional<Error> failure_;
};

class Removal : public Walk {
  public:
    using Walk::Walk;

  protected:
    Fd open(int parent, const char* name) override { return open_for_removal(parent, name); }
    void directory(int) override {}
    void file(int directory, const std::string& name) override { remove(directory, name, 0); }
    void leave(int parent, const std::string& name) override { remove(parent, name, AT_REMOVEDIR); }
    void unopened(int parent, const std::string& name, int reason) override {
        // An empty directory of somebody else can be removed although it cannot be read.
        if (reason != ENOENT && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) failed(name, reason);
    }

  private:
    void remove(int directory, const std::string& name, int flags) {
        if (::unlinkat(directory, name.c_str(), flags) != 0 && errno != ENOENT) failed(name, errno);
    }
};

class Measure : public Walk {
  public:
    using Walk::Walk;
    std::uint64_t bytes = 0;

  protected:
    Fd open(int parent, const char* name) override { return open_directory(parent, name); }
    void directory(int fd) override {
        struct stat status {};
        if (::fstat(fd, &status) == 0) bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    void file(int directory, const std::string& name) override {
        struct stat status {};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
    }
    void leave(int, const std::string&) override {}
    void unopened(int, const std::string&, int) override {
    } // unreadable or another file system: nothing of it counts
};

// `path` as an open parent directory and a name in it; empty when it does not exist.
struct Place {
    Fd parent;
    std::string name;
    bool directory = false;
};

std::optional<Place> locate(const std::filesystem::path& path) {
    std::filesystem::path clean = path;
    while (!clean.has_filename() && clean.has_relative_path()) clean = clean.parent_path(); // "a/b/" is "a/b"
    Place place;
    place.name = clean.filename().native();
    if (place.name.empty() || place.name == "." || place.name == "..") {
        throw fatal("'{}' does not name a directory by its own name", path.native());
    }
    auto parent = open_if_exists(clean.has_parent_path() ? clean.parent_path() : ".", O_PATH | O_DIRECTORY);
    struct stat status {};
    if (!parent || ::fstatat(parent->get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (!parent || errno == ENOENT) return std::nullopt;
        throw system_error(errno, "cannot look at '{}'", path.native());
    }
    place.parent = std::move(*parent);
    place.directory = S_ISDIR(status.st_mode);
    return place;
}

} // namespace

void remove_tree(const std::filesystem::path& path) {
    const std::optional<Place> place = locate(path);
    if (!place) return;
    if (!place->directory) {
        if (::unlinkat(place->parent.get(), place->name.c_str(), 0) != 0 && errno != ENOENT) {
            throw system_error(errno, "cannot remove '{}'", path.native());
        }
        return;
    }
    with_context(
        [&] {
            Removal removal(path);
            removal.run(place->parent.get(), place->name);
            if (removal.failure()) throw Error(*removal.failure());
        },
        "cannot remove '{}'", path.native());
}

std::uint64_t disk_usage(const std::filesystem::path& path) {
    const std::optional<Place> place = locate(path);
    if (!place) return 0;
    Measure measure(path);
    if (place->directory) {
        measure.run(place->parent.get(), place->name);
        return measure.bytes;
    }
    struct stat status {};
    if (::fstatat(place->parent.get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

} // namespace scad::base
