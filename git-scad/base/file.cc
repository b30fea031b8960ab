#include "base/file.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::base {

namespace {

constexpr std::string_view temporary_prefix = ".tmp-";

std::filesystem::path temporary_in(const std::filesystem::path& directory) {
    return directory / fmt::format("{}{}-{}", temporary_prefix, ::getpid(), random_hex(8));
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : ".";
}

bool lock_file(int fd, int operation) {
    while (::flock(fd, operation) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

// Whether `path` still names what `fd` is open on.
bool names_same(const std::filesystem::path& path, int fd) {
    struct stat named {};
    struct stat opened {};
    return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

// Makes something under a temporary name and locks it. A sweeper may have come between the two and removed
// it: then under another name.
template <class Make>
std::pair<std::filesystem::path, Fd> make_temporary(const std::filesystem::path& directory, Make make) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        std::filesystem::path path = temporary_in(directory);
        Fd fd(make(path));
        if (!fd) {
            if (errno == EEXIST || (errno == ENOENT && ::access(directory.c_str(), F_OK) == 0)) continue;
            throw system_error(errno, "cannot make '{}'", path.native());
        }
        if (!lock_file(fd.get(), LOCK_EX)) throw system_error(errno, "cannot lock '{}'", path.native());
        if (names_same(path, fd.get())) return {std::move(path), std::move(fd)};
    }
    throw fatal("cannot make a temporary name in '{}'", directory.native());
}

std::string read_regular(const Fd& fd, const std::filesystem::path& path, std::size_t limit) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throw system_error(errno, "cannot read '{}'", path.native());
    if (S_ISDIR(status.st_mode)) throw fatal("cannot read '{}': it is a directory", path.native());
    if (!S_ISREG(status.st_mode)) throw fatal("cannot read '{}': it is no regular file", path.native());
    return read_all(fd.get(), limit, path.native());
}

} // namespace

// O_NONBLOCK: a FIFO in place of the file must not hold us.
std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    return read_regular(open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY), path, limit);
}

std::optional<std::string> read_if_exists(const std::filesystem::path& path, std::size_t limit) {
    const std::optional<Fd> fd = open_if_exists(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) return std::nullopt;
    return read_regular(*fd, path, limit);
}

void replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode,
                  Durability durability) {
    const std::filesystem::path directory = directory_of(path);
    auto [temporary, fd] = make_temporary(directory, [mode](const std::filesystem::path& name) {
        return ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    });
    try {
        with_context([&, file = fd.get()] { write_all(file, content); }, "cannot replace '{}'",
                     path.native());
        if (durability == Durability::synced && ::fsync(fd.get()) != 0) {
            throw system_error(errno, "cannot sync '{}'", path.native());
        }
        if (::rename(temporary.c_str(), path.c_str()) != 0) {
            throw system_error(errno, "cannot replace '{}'", path.native());
        }
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    if (durability == Durability::synced) sync_directory(directory);
}

void make_directories(const std::filesystem::path& path, mode_t mode) {
    std::vector<std::filesystem::path> missing;
    for (std::filesystem::path at = path.has_filename() ? path : path.parent_path(); !at.empty();
         at = at.parent_path()) {
        if (::mkdir(at.c_str(), mode) == 0 || errno == EEXIST) break;
        if (errno != ENOENT) throw system_error(errno, "cannot make the directory '{}'", at.native());
        missing.push_back(at);
    }
    for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
        if (::mkdir(at->c_str(), mode) != 0 && errno != EEXIST) {
            throw system_error(errno, "cannot make the directory '{}'", at->native());
        }
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw system_error(errno, "cannot make the directory '{}'", path.native());
    if (!S_ISDIR(status.st_mode))
        throw system_error(ENOTDIR, "cannot make the directory '{}'", path.native());
}

void sync_directory(const std::filesystem::path& path) {
    const Fd directory = open_file(path, O_RDONLY | O_DIRECTORY);
    // EINVAL: a file system that has nothing to sync.
    if (::fsync(directory.get()) != 0 && errno != EINVAL)
        throw system_error(errno, "cannot sync '{}'", path.native());
}

WholeDirectory::WholeDirectory(const std::filesystem::path& parent) : parent_(parent) {
    std::tie(path_, lock_) = make_temporary(parent, [](const std::filesystem::path& name) {
        if (::mkdir(name.c_str(), 0700) != 0) return -1;
        return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    });
}

WholeDirectory::WholeDirectory(WholeDirectory&& other) noexcept
    : parent_(std::move(other.parent_)),
      path_(std::move(other.path_)),
      lock_(std::move(other.lock_)),
      committed_(std::exchange(other.committed_, true)) {}

WholeDirectory::~WholeDirectory() {
    if (committed_) return;
    try {
        remove_tree(path_);
    } catch (const std::exception&) { // what is left is swept by whoever comes next
    }
}

bool WholeDirectory::commit(const std::string& name, Durability durability) {
    const std::filesystem::path whole = parent_ / name;
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, whole.c_str(), RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST || errno == ENOTEMPTY) return false;
        throw system_error(errno, "cannot rename '{}' to '{}'", path_.native(), whole.native());
    }
    committed_ = true;
    path_ = whole;
    lock_.reset();
    if (durability == Durability::synced) sync_directory(parent_);
    return true;
}

std::vector<std::string> sweep_temporaries(const std::filesystem::path& parent) {
    std::vector<std::string> removed;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(parent.c_str()), ::closedir);
    if (!directory) {
        if (errno == ENOENT) return removed;
        throw system_error(errno, "cannot read the directory '{}'", parent.native());
    }
    std::vector<std::string> found;
    while (const dirent* entry = ::readdir(directory.get())) {
        if (std::string_view(entry->d_name).starts_with(temporary_prefix)) found.emplace_back(entry->d_name);
    }
    std::sort(found.begin(), found.end());
    for (const std::string& name : found) {
        const std::filesystem::path path = parent / name;
        const Fd fd(
            ::openat(::dirfd(directory.get()), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd || !lock_file(fd.get(), LOCK_EX | LOCK_NB) || !names_same(path, fd.get())) continue;
        remove_tree(path);
        removed.push_back(name);
    }
    return removed;
}

} // namespace scad::base
