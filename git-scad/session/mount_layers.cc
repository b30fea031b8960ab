#include "session/mount_layers.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace scad::session {

namespace {

constexpr std::uint64_t most_entries = 200'000;
constexpr std::size_t deepest = 100; // one descriptor for each level

using Listing = std::unique_ptr<DIR, int (*)(DIR*)>;

Listing open_listing(int parent, const char* name) {
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    Listing listing(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
    if (fd >= 0 && !listing) ::close(fd);
    return listing;
}

} // namespace

void make_mount_layers(const Session& session, const std::filesystem::path& directory) {
    for (const auto& mount : session.mounts) {
        if (mount.layer.empty()) continue;
        for (const auto* part : {"upper", "work"}) base::make_directories(directory / mount.layer / part);
    }
}

LayerUse measure_layer(const Session& session, const SessionMount& mount) {
    LayerUse use;
    std::vector<Listing> levels;
    const auto enter = [&](int parent, const char* name) {
        auto listing = open_listing(parent, name);
        if (listing && levels.size() < deepest)
            levels.push_back(std::move(listing));
        else
            use.more = true;
    };
    const auto top = session.directory / mount.layer / "upper";
    enter(AT_FDCWD, top.c_str());
    while (!levels.empty()) {
        const dirent* entry = ::readdir(levels.back().get());
        if (entry == nullptr) {
            levels.pop_back();
            continue;
        }
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (++use.entries >= most_entries) {
            use.more = true;
            break;
        }
        const int here = ::dirfd(levels.back().get());
        struct stat status {};
        if (::fstatat(here, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        use.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        if (S_ISDIR(status.st_mode)) enter(here, entry->d_name);
    }
    return use;
}

std::string layer_words(const LayerUse& use) {
    if (use.entries == 0) return {};
    return fmt::format("{}{} change{}, {}, which nothing carries out of the session",
                       use.more ? "more than " : "", use.entries, use.entries == 1 ? "" : "s",
                       base::format_size(use.bytes));
}

std::string_view access_words(const SessionMount& mount) {
    if (!mount.layer.empty()) return "writable in the session, over";
    return mount.writable ? "writable, is" : "read-only, shows";
}

} // namespace scad::session
