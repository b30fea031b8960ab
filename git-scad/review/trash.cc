#include "review/trash.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "review/fetch.h"
#include "review/gc.h"
#include "session/host_remotes.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/file.h>
#include <sys/statvfs.h>

namespace scad::review {
namespace {

constexpr std::int64_t default_keep_days = 14;
constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::uint64_t enough_space = std::uint64_t{5} << 30;

// Why it cannot be dropped yet; empty: it can.
std::string problem_of(const session::Store::Trashed& trashed, const base::Context& context) {
    try {
        require_objects_saved(session::read_session(trashed.directory), context);
        return {};
    } catch (const Error& error) {
        return base::one_line(error.message);
    }
}

void drop(const base::Context& context, const session::Store& store, const session::Store::Trashed& trashed) {
    const auto session = session::read_session(trashed.directory);
    remove_unseen(trashed.directory);
    if (store.exists(trashed.name) || store.in_trash(trashed.name)) return; // the pins are still wanted
    for (const auto& repo : session.repos) session::drop_pins(session, repo, context.variables);
}

} // namespace

std::int64_t keep_days(const base::Settings& settings) {
    const auto days = settings.get_int("scad.keepDays", default_keep_days);
    if (days < 0) throw fatal("scad.keepDays is {}: it is a number of days", days);
    return days;
}

bool space_is_short(const std::filesystem::path& path) {
    struct statvfs space {};
    if (::statvfs(path.c_str(), &space) != 0) return false;
    const auto free = std::uint64_t{space.f_bavail} * space.f_frsize;
    const auto all = std::uint64_t{space.f_blocks} * space.f_frsize;
    return free < std::min(enough_space, all / 20);
}

void sweep_trash(const base::Context& context, const session::Store& store, bool dry_run,
                 std::vector<Collected>& collected, std::vector<std::string>& kept) {
    const auto oldest = base::unix_now() - keep_days(context.settings) * day;
    for (const auto& trashed : store.trash()) { // oldest first
        const bool old = trashed.removed <= oldest;
        if (!old && !space_is_short(store.paths().trash())) continue;
        const auto lock = store.try_lock(trashed.name);
        std::error_code error;
        if (!lock || !std::filesystem::exists(trashed.directory, error)) continue; // somebody is at it
        if (const auto problem = problem_of(trashed, context); !problem.empty()) {
            kept.push_back(
                fmt::format("removed session '{0}': {1} (git scad session rm --purge {0} drops it all "
                            "the same)",
                            trashed.name, problem));
            continue;
        }
        collected.push_back(
            {fmt::format("session '{}', removed {}{}", trashed.name,
                         base::format_age(trashed.removed, base::unix_now()), old ? "" : " (space is short)"),
             base::disk_usage(trashed.directory)});
        if (!dry_run) drop(context, store, trashed);
    }
}

void remove_unseen(const std::filesystem::path& directory) {
    const auto parent = directory.parent_path();
    const auto hidden = parent / fmt::format(".tmp-gone-{}", base::random_hex(8));
    // Locked first, so that nobody sweeps it while this does.
    const auto fd = base::open_if_exists(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) return;
    ::flock(fd->get(), LOCK_EX | LOCK_NB);
    if (::rename(directory.c_str(), hidden.c_str()) != 0) {
        if (errno == ENOENT) return;
        throw system_error(errno, "cannot rename '{}'", directory.native());
    }
    base::sync_directory(parent);
    base::remove_tree(hidden);
}

} // namespace scad::review
