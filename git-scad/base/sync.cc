#include "base/sync.h"

#include "base/error.h"
#include "base/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace scad::base {

void sync_file_system(const std::filesystem::path& path) {
    const Fd fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (::syncfs(fd.get()) != 0) throw system_error(errno, "cannot sync '{}'", path.native());
}

} // namespace scad::base
