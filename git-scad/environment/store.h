#pragma once

#include "base/lock.h"
#include "base/paths.h"
#include "environment/layers.h"
#include "environment/plan.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace scad::environment {

// Baked environments lie in Paths::environments(), one directory each: <id>/environment.json, which says what
// it is, and <id>/log; the layers that they are made of in layers/. They never change.

// An environment that was baked.
struct Baked {
    std::string id;
    std::string project; // that it was first baked for
    std::string base;
    Variables variables;               // of every job, sorted by name
    std::vector<std::string> layers;   // ids, lowest first
    Parts parts;                       // the same as a session mounts them
    std::vector<std::string> packages; // of the virtual environment, "<name>-<version>"
    std::uint64_t size = 0;            // bytes on disk; layers that others share are counted in each
    std::int64_t baked_at = 0;         // Unix seconds
    bool operator==(const Baked&) const = default;
};

// The newest environment that this plan was baked into; empty: none, or a layer of it is gone.
std::optional<Baked> find_baked(const base::Paths& paths, const Plan& plan);

// By id; empty: not baked. Fatal: written by a newer scad.
std::optional<Baked> find(const base::Paths& paths, const std::string& id);

// Whether an environment with that id is there with all of its layers.
bool is_whole(const base::Paths& paths, const std::string& id);

// environment.json in a directory that is being made.
void write_baked(const std::filesystem::path& directory, const Baked& baked);

// All, sorted by id. One that cannot be read is left out.
std::vector<Baked> list(const base::Paths& paths);

// While it is held nothing is pruned: from finding an environment until a session that names it is on disk,
// and while one is baked.
base::FileLock hold(const base::Paths& paths);

// Removes all environments that are not in use, the layers that none needs then, and what killed builds left.
// Returns the ids of the environments removed. `in_use` is asked for the ids that sessions name once nobody
// can start one. `on_wait` is called when a build runs, which is waited for; without it none is waited for,
// and nothing is removed then.
std::vector<std::string> prune(const base::Paths& paths, const std::function<std::set<std::string>()>& in_use,
                               const std::function<void()>& on_wait);

} // namespace scad::environment
