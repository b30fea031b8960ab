#include "session/gc_lock.h"

#include "base/error.h"
#include "base/file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace scad::session {

namespace {

// No session's name starts with a dot.
std::filesystem::path lock_file(const base::Paths& paths) { return paths.locks() / ".gc"; }

} // namespace

base::Fd hold_off_gc(const base::Paths& paths) {
    base::make_directories(paths.locks());
    base::Fd fd = base::open_file(lock_file(paths), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    while (::flock(fd.get(), LOCK_SH) != 0)
        if (errno != EINTR) throw system_error(errno, "cannot lock '{}'", lock_file(paths).native());
    return fd;
}

std::optional<base::FileLock> lock_for_gc(const base::Paths& paths, const std::function<void()>& on_wait) {
    base::make_directories(paths.locks());
    if (!on_wait) return base::FileLock::try_acquire(lock_file(paths));
    return base::FileLock::acquire(lock_file(paths), on_wait);
}

} // namespace scad::session
