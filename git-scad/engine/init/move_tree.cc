#include "engine/init/move_tree.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace scad::init {

namespace {

constexpr std::size_t deepest = 256; // directories that are open at a time, twice

// A directory and the one that takes its place.
struct Pair {
    int from = -1;
    int to = -1;
    std::string from_name, to_name;       // in the pair above
    std::vector<std::string> directories; // of `from`, that are still to be done
    struct stat status {};
};

void close_pair(const Pair& pair) {
    ::close(pair.from);
    ::close(pair.to);
}

int open_directory(int parent, const char* name) {
    return ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// The mount that a path lies in (statx(2)); 0: it cannot be told.
std::uint64_t mount_of(int directory, const char* path, int flags) {
    struct statx found {};
    constexpr unsigned mount_id = 0x1000; // STATX_MNT_ID, kernel 5.8
    if (::statx(directory, path, flags, mount_id, &found) != 0 || (found.stx_mask & mount_id) == 0) return 0;
    return found.stx_mnt_id;
}

std::pair<std::string, std::string> split(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {path.substr(0, std::max<std::size_t>(slash, 1)), path.substr(slash + 1)};
}

std::vector<std::string> names_in(int directory) {
    std::vector<std::string> names;
    int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        if (copy >= 0) ::close(copy);
        return names;
    }
    while (const dirent* entry = ::readdir(stream)) {
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(stream);
    return names;
}

void copy_attributes(const Pair& pair) {
    std::string names(static_cast<std::size_t>(std::max<ssize_t>(::flistxattr(pair.from, nullptr, 0), 0)),
                      '\0');
    ssize_t size = ::flistxattr(pair.from, names.data(), names.size());
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
        const char* name = names.data() + at;
        at += std::string_view(name).size() + 1;
        std::string value(
            static_cast<std::size_t>(std::max<ssize_t>(::fgetxattr(pair.from, name, nullptr, 0), 0)), '\0');
        ssize_t length = ::fgetxattr(pair.from, name, value.data(), value.size());
        if (length >= 0) ::fsetxattr(pair.to, name, value.data(), static_cast<std::size_t>(length), 0);
    }
    ::fchmod(pair.to, pair.status.st_mode & 0777);
    timespec times[2] = {pair.status.st_atim, pair.status.st_mtim};
    ::futimens(pair.to, times);
}

// Moves what is in one directory to another that is empty, or merges it into what has been moved before. Goes
// down by a list of its own, since trees may be deep.
class Mover {
  public:
    Mover() = default;
    ~Mover() {
        for (const Pair& pair : open_) close_pair(pair);
    }
    Mover(const Mover&) = delete;
    Mover& operator=(const Mover&) = delete;

    // The directory `from` of one becomes `to` of the other; 0 or an errno.
    int run(int from_directory, const std::string& from, int to_directory, const std::string& to) {
        int error = enter(from_directory, from, to_directory, to);
        while (error == 0 && !open_.empty()) {
            Pair& pair = open_.back();
            if (!pair.directories.empty()) {
                std::string name = std::move(pair.directories.back());
                pair.directories.pop_back();
                error = enter(pair.from, name, pair.to, name);
                continue;
            }
            Pair done = std::move(open_.back());
            open_.pop_back();
            copy_attributes(done);
            close_pair(done);
            int parent = open_.empty() ? from_directory : open_.back().from;
            if (::unlinkat(parent, done.from_name.c_str(), AT_REMOVEDIR) != 0) error = errno;
        }
        return error;
    }

  private:
    int enter(int from_directory, const std::string& from, int to_directory, const std::string& to) {
        if (open_.size() == deepest) return EXDEV;
        Pair pair;
        pair.from_name = from;
        pair.to_name = to;
        pair.from = open_directory(from_directory, from.c_str());
        if (pair.from < 0) return errno;
        if (::mkdirat(to_directory, to.c_str(), 0700) != 0 && errno != EEXIST) {
            int error = errno;
            ::close(pair.from);
            return error;
        }
        pair.to = open_directory(to_directory, to.c_str());
        if (pair.to < 0 || ::fstat(pair.from, &pair.status) != 0) {
            int error = errno;
            close_pair(pair);
            return error;
        }
        // Its entries can be taken out of one that nobody may write to; as the kernel has it, the directory
        // itself can be renamed then.
        if ((pair.status.st_mode & 0300) != 0300) ::fchmod(pair.from, (pair.status.st_mode | 0700) & 07777);
        open_.push_back(std::move(pair));
        return move_entries(open_.back());
    }

    static int move_entries(Pair& pair) {
        for (std::string& name : names_in(pair.from)) {
            if (::renameat(pair.from, name.c_str(), pair.to, name.c_str()) == 0) continue;
            int error = errno;
            struct stat status {};
            if (::fstatat(pair.from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue; // gone
            // A directory of the lower layer; or, on the way back, one that is there in part.
            if (!S_ISDIR(status.st_mode) || (error != EXDEV && error != ENOTEMPTY && error != EEXIST))
                return error;
            pair.directories.push_back(std::move(name));
        }
        return 0;
    }

    std::vector<Pair> open_;
};

// What rename(2) says before it does anything.
int check_target(int directory, const std::string& name, unsigned flags) {
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : errno;
    if ((flags & RENAME_NOREPLACE) != 0) return EEXIST;
    if (!S_ISDIR(status.st_mode)) return ENOTDIR;
    int fd = open_directory(directory, name.c_str());
    if (fd < 0) return errno;
    bool empty = names_in(fd).empty();
    ::close(fd);
    return empty ? 0 : ENOTEMPTY;
}

int rename_in(int from_parent, const std::string& from, int to_parent, const std::string& to,
              unsigned flags) {
    // A mount in between is no gap of the overlay's, and is none to be mended.
    std::uint64_t mount = mount_of(from_parent, from.c_str(), AT_SYMLINK_NOFOLLOW);
    if (mount == 0 || mount != mount_of(to_parent, "", AT_EMPTY_PATH)) return EXDEV;
    if (int error = check_target(to_parent, to, flags); error != 0) return error;
    int error = Mover().run(from_parent, from, to_parent, to);
    if (error == 0) return 0;
    Mover().run(to_parent, to, from_parent, from);
    return error;
}

} // namespace

int rename_mended(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
    if (::syscall(SYS_renameat2, from_directory, from, to_directory, to, flags) == 0) return 0;
    if (errno != EXDEV || (flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) return errno;
    auto [from_parent_path, from_name] = split(from);
    auto [to_parent_path, to_name] = split(to);
    int from_parent = ::openat(from_directory, from_parent_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int to_parent = ::openat(to_directory, to_parent_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = from_parent < 0 || to_parent < 0
                    ? errno
                    : rename_in(from_parent, from_name, to_parent, to_name, flags);
    if (from_parent >= 0) ::close(from_parent);
    if (to_parent >= 0) ::close(to_parent);
    return error;
}

} // namespace scad::init
