#pragma once

#include "base/context.h"
#include "session/store.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::review {

struct Collected;

// scad.keepDays: how long removed sessions can be brought back. 14.
std::int64_t keep_days(const base::Settings& settings);

// Whether the file system of `path` is nearly full: less than a twentieth of it, and less than 5 GiB, is
// free.
bool space_is_short(const std::filesystem::path& path);

// Drops sessions of the trash for good, oldest first: those past scad.keepDays, and others while space is
// short. Only once every object that was saved of them is proved to be in the host repos, and these are
// synced; what cannot be proved is kept, with the reason in `kept`.
void sweep_trash(const base::Context& context, const session::Store& store, bool dry_run,
                 std::vector<Collected>& collected, std::vector<std::string>& kept);

// Removes a directory so that nobody finds half of it: under a temporary name, which the next sweep of its
// parent removes when this is killed.
void remove_unseen(const std::filesystem::path& directory);

} // namespace scad::review
