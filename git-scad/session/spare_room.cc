#include "session/spare_room.h"

#include "base/fd.h"

#include <cstdint>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace scad::session {

namespace {

constexpr std::uint64_t spare = std::uint64_t{2} << 20;  // bytes
constexpr std::uint64_t plenty = std::uint64_t{8} << 20; // that must be free besides
constexpr std::uint64_t little = std::uint64_t{1} << 20;

std::filesystem::path spare_file(const std::filesystem::path& session_directory) {
    return session_directory / "spare";
}

std::uint64_t free_bytes(const std::filesystem::path& directory) {
    struct statvfs room {};
    if (::statvfs(directory.c_str(), &room) != 0) return 0;
    return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
}

} // namespace

void keep_spare_room(const std::filesystem::path& session_directory) noexcept {
    const auto path = spare_file(session_directory);
    if (::access(path.c_str(), F_OK) == 0 || free_bytes(session_directory) < spare + plenty) return;
    const base::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file && ::posix_fallocate(file.get(), 0, spare) != 0) ::unlink(path.c_str());
}

void use_spare_room(const std::filesystem::path& session_directory) noexcept {
    if (free_bytes(session_directory) < little) ::unlink(spare_file(session_directory).c_str());
}

} // namespace scad::session
