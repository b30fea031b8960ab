#pragma once

#include "environment/layers.h"

#include <nlohmann/json_fwd.hpp>

namespace scad::environment {

// Parts as they stand in environment.json and session.json.
nlohmann::json to_json(const Parts& parts);
Parts parts_from_json(const nlohmann::json& json); // what is missing is empty; fatal: of a wrong type

} // namespace scad::environment
