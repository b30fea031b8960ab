#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace scad::base {

// A descriptor that is closed when its owner goes. Always O_CLOEXEC unless said otherwise. Movable, not
// copyable.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();
    Fd duplicate() const; // F_DUPFD_CLOEXEC; fatal when the process is out of descriptors

  private:
    int fd_ = -1;
};

struct Pipe {
    Fd read;
    Fd write;
};

// A pipe, both ends O_CLOEXEC. Fatal when out of descriptors.
Pipe make_pipe();

// Opens a path that no session can write below (host files, scad's own). O_CLOEXEC is added. Fatal with the
// path otherwise.
Fd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0600);
// The same, empty when it does not exist (ENOENT, ENOTDIR); other errors are fatal.
std::optional<Fd> open_if_exists(const std::filesystem::path& path, int flags);

// Opens `name` below the directory `dir` without ever leaving it and without following a symbolic link
// (openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS). For what a session can
// write. Never blocks on a FIFO (O_NONBLOCK is added). Empty when it does not exist.
std::optional<Fd> open_beneath(int dir, const std::filesystem::path& name, int flags, mode_t mode = 0600);

// Everything up to end of file, at most `limit` bytes (more is fatal: "longer than …").
std::string read_all(int fd, std::size_t limit, std::string_view what);
// All of `data`; EINTR and short writes are handled; false when the reader is gone (EPIPE, SIGPIPE must be
// ignored); other errors are fatal.
bool write_all(int fd, std::string_view data);

// An anonymous memory file with this content, sealed against change (memfd_create(2)), offset 0.
Fd make_memory_file(const char* name, std::string_view content);

// Whether /proc/self/fd/0..2 are open; opens /dev/null on those that are not. First act of every main.
void open_standard_descriptors();

} // namespace scad::base
