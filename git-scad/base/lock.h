#pragma once

#include "base/fd.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace scad::base {

// An exclusive flock(2) on a file that is made when missing (0600) and never deleted. Belongs to the open
// file description: O_CLOEXEC, so that no child keeps it.
class FileLock {
  public:
    // Waits for it; `on_wait` is called once when it is held by somebody else (say so on stderr there).
    static FileLock acquire(const std::filesystem::path& path, const std::function<void()>& on_wait = {});
    // Empty when somebody else holds it.
    static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
    // Shared with others that take it so, and not with acquire(); waits as that does.
    static FileLock acquire_shared(const std::filesystem::path& path,
                                   const std::function<void()>& on_wait = {});

    int fd() const { return fd_.get(); }
    void release() { fd_.reset(); }

  private:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// Whether somebody holds the lock now. False when the file does not exist. Makes nothing.
bool is_held(const std::filesystem::path& path);

} // namespace scad::base
