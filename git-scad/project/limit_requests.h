#pragma once

#include "project/project.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace scad::project {

// Limits bound what a session may use, so a project asks for more by raising one, by dropping one, and by no
// longer being strict.

// Each limit that the project sets, as a person reads it: "memory up to 16GiB". Pure.
std::vector<std::string> limit_lines(const Limits& limits);

// What `limits` allow beyond those that were approved: "memory up to 64GiB", "memory without limit". Pure.
std::vector<std::string> widened_limits(const Limits& limits, const Limits& approved);

// As approvals keep them: {"memory": <bytes>, "time": <seconds>, "strict": true, …}. Unknown keys and those
// of another type are passed over: as if that limit had not been set.
nlohmann::json limits_to_json(const Limits& limits);
Limits limits_from_json(const nlohmann::json& object);

} // namespace scad::project
