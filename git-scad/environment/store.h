#pragma once

#include "base/paths.h"
#include "environment/plan.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::environment {

// Baked environments lie in Paths::environments(), one directory each: <id>/environment.json, which says what
// it is, and <id>/log. They never change.

// An environment that was baked.
struct Baked {
    std::string id;
    std::string base;
    std::vector<std::pair<std::string, std::string>> variables; // of every job, sorted by name
    std::int64_t baked_at = 0;                                  // Unix seconds
    bool operator==(const Baked&) const = default;
};

// Whether `plan` was baked. Looks at one file.
bool is_baked(const base::Paths& paths, const Plan& plan);

// Bakes `plan` under a temporary name and renames it; when it was baked meanwhile, by a build that raced,
// that one stays. `tell` is called with each step. Nothing happens when it is there already.
void bake(const base::Paths& paths, const Plan& plan, const std::function<void(std::string_view step)>& tell);

// By id; empty: not baked. Fatal: written by a newer scad.
std::optional<Baked> find(const base::Paths& paths, const std::string& id);

// All, sorted by id. One that cannot be read is left out.
std::vector<Baked> list(const base::Paths& paths);

// What jobs are given. Fatal, with `git scad build`, when it is not baked.
std::vector<std::pair<std::string, std::string>> environment_variables(const base::Paths& paths,
                                                                       const std::string& id);

// Removes all whose id is not in `in_use`, and what killed builds left. Returns the ids removed. A session
// names its environment before it starts: whoever calls this has read all sessions under the lock that
// starting takes.
std::vector<std::string> prune(const base::Paths& paths, const std::set<std::string>& in_use);

} // namespace scad::environment
