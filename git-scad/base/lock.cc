#include "base/lock.h"

#include "base/error.h"
#include "base/file.h"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/file.h>

namespace scad::base {

namespace {

Fd open_lock(const std::filesystem::path& path) {
    constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    Fd fd(::open(path.c_str(), flags, 0600));
    if (!fd && errno == ENOENT && path.has_parent_path()) {
        make_directories(path.parent_path());
        fd = Fd(::open(path.c_str(), flags, 0600));
    }
    if (!fd) throw system_error(errno, "cannot open the lock '{}'", path.native());
    return fd;
}

// False when another one holds what is in the way of `operation`.
bool try_flock(int fd, int operation, const std::filesystem::path& path) {
    while (::flock(fd, operation | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) throw system_error(errno, "cannot lock '{}'", path.native());
    }
    return true;
}

// is_held() takes a shared lock for a moment, and must not make a lock seem taken that is free: a shared lock
// that we get as well proves that no owner is there.
bool take(int fd, const std::filesystem::path& path) {
    for (int attempt = 0; attempt < 200; ++attempt) {
        if (try_flock(fd, LOCK_EX, path)) return true;
        if (!try_flock(fd, LOCK_SH, path)) return false;
        ::flock(fd, LOCK_UN);
        const timespec moment{0, 50'000 + attempt % 7 * 20'000L};
        ::nanosleep(&moment, nullptr);
    }
    return false;
}

} // namespace

FileLock FileLock::acquire(const std::filesystem::path& path, const std::function<void()>& on_wait) {
    Fd fd = open_lock(path);
    if (take(fd.get(), path)) return FileLock(std::move(fd));
    if (on_wait) on_wait();
    while (::flock(fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) throw system_error(errno, "cannot lock '{}'", path.native());
    }
    return FileLock(std::move(fd));
}

FileLock FileLock::acquire_shared(const std::filesystem::path& path, const std::function<void()>& on_wait) {
    Fd fd = open_lock(path);
    if (try_flock(fd.get(), LOCK_SH, path)) return FileLock(std::move(fd));
    if (on_wait) on_wait();
    while (::flock(fd.get(), LOCK_SH) != 0) {
        if (errno != EINTR) throw system_error(errno, "cannot lock '{}'", path.native());
    }
    return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
    Fd fd = open_lock(path);
    if (!take(fd.get(), path)) return std::nullopt;
    return FileLock(std::move(fd));
}

bool is_held(const std::filesystem::path& path) {
    const std::optional<Fd> fd = open_if_exists(path, O_RDONLY | O_NOFOLLOW);
    return fd && !try_flock(fd->get(), LOCK_SH, path);
}

} // namespace scad::base
