#include "base/fd.h"

#include "base/error.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scad::base {

namespace {

bool is_absence(int error) { return error == ENOENT || error == ENOTDIR; }

int open_retrying(const char* path, int flags, mode_t mode) {
    int fd = -1;
    do {
        fd = ::open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

} // namespace

void Fd::reset() {
    if (fd_ >= 0) ::close(fd_); // the descriptor is gone even when close(2) reports an error
    fd_ = -1;
}

Fd Fd::duplicate() const {
    Fd copy(::fcntl(fd_, F_DUPFD_CLOEXEC, 3)); // never one of the standard streams' numbers
    if (!copy) throw system_error(errno, "cannot duplicate a descriptor");
    return copy;
}

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error(errno, "cannot make a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

Fd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
    Fd fd(open_retrying(path.c_str(), flags, mode));
    if (!fd) throw system_error(errno, "cannot open '{}'", path.native());
    return fd;
}

std::optional<Fd> open_if_exists(const std::filesystem::path& path, int flags) {
    Fd fd(open_retrying(path.c_str(), flags, 0));
    if (fd) return fd;
    if (is_absence(errno)) return std::nullopt;
    throw system_error(errno, "cannot open '{}'", path.native());
}

std::optional<Fd> open_beneath(int dir, const std::filesystem::path& name, int flags, mode_t mode) {
    open_how how{};
    how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
    if ((flags & O_PATH) == 0)
        how.flags |= O_NONBLOCK | O_NOCTTY; // openat2 refuses flags that O_PATH ignores
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) how.mode = mode; // and a mode without use
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    for (int attempt = 0;; ++attempt) {
        Fd fd(static_cast<int>(::syscall(SYS_openat2, dir, name.c_str(), &how, sizeof how)));
        if (fd) return fd;
        if (is_absence(errno)) return std::nullopt;
        // EAGAIN: a rename or mount elsewhere raced with "..", which the kernel could not prove to stay
        // beneath.
        const bool again = errno == EINTR || errno == EAGAIN;
        if (!again || attempt == 100) throw system_error(errno, "cannot open '{}'", name.native());
    }
}

std::string read_all(int fd, std::size_t limit, std::string_view what) {
    std::string content;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::read(fd, buffer, sizeof buffer);
        if (count == 0) return content;
        if (count < 0) {
            if (errno == EINTR) continue;
            throw system_error(errno, "cannot read '{}'", what);
        }
        if (static_cast<std::size_t>(count) > limit - content.size()) {
            throw fatal("'{}' is longer than {} bytes", what, limit);
        }
        content.append(buffer, static_cast<std::size_t>(count));
    }
}

bool write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(fd, data.data(), data.size());
        if (count >= 0) {
            data.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EPIPE) return false;
        if (errno == EAGAIN) { // somebody who shares the open file description made it non-blocking
            pollfd waiting{fd, POLLOUT, 0};
            ::poll(&waiting, 1, -1);
            continue;
        }
        throw system_error(errno, "cannot write");
    }
    return true;
}

Fd make_memory_file(const char* name, std::string_view content) {
    Fd file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) throw system_error(errno, "cannot make a memory file");
    write_all(file.get(), content);
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (::lseek(file.get(), 0, SEEK_SET) != 0 || ::fcntl(file.get(), F_ADD_SEALS, seals) != 0) {
        throw system_error(errno, "cannot seal a memory file");
    }
    return file;
}

void open_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
        if (::fcntl(fd, F_GETFD) != -1) continue;
        // The lowest free number is this one, because those below are open. Not O_CLOEXEC: they are standard
        // streams.
        if (::open("/dev/null", O_RDWR) != fd) throw system_error(errno, "cannot open '/dev/null'");
    }
}

} // namespace scad::base
