#include "workspace/copy_file.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::workspace {

void copy_regular(const std::filesystem::path& from, const std::filesystem::path& to) {
    const base::Fd source = base::open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat status {};
    if (::fstat(source.get(), &status) != 0) throw system_error(errno, "cannot read '{}'", from.native());
    if (!S_ISREG(status.st_mode)) throw fatal("cannot copy '{}': it is no regular file", from.native());
    const base::Fd target = base::open_file(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    if (::ioctl(target.get(), FICLONE, source.get()) == 0) return;
    auto left = static_cast<std::size_t>(status.st_size);
    while (left > 0) {
        const ssize_t count = ::copy_file_range(source.get(), nullptr, target.get(), nullptr, left, 0);
        if (count > 0) {
            left -= static_cast<std::size_t>(count);
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) break;
        if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
            throw system_error(errno, "cannot copy '{}' to '{}'", from.native(), to.native());
        }
        const std::string rest = base::read_all(source.get(), left, from.native());
        base::write_all(target.get(), rest);
        return;
    }
}

} // namespace scad::workspace
