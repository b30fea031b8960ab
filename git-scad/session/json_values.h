#pragma once

#include "environment/drift.h"
#include "workspace/snapshot.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace scad::session {

// Pieces that several of a session's files share. Reading is lenient for what was told from inside
// (RepoState).

nlohmann::json pairs_to_json(
    const std::vector<std::pair<std::string, std::string>>& pairs); // [["name", "value"], …]: order is kept
std::vector<std::pair<std::string, std::string>> pairs_from_json(const nlohmann::json& value);

nlohmann::json repo_states_to_json(const std::vector<workspace::RepoState>& states);
workspace::RepoState repo_state_from_json(const nlohmann::json& value);

nlohmann::json drift_to_json(const environment::Drift& drift);
environment::Drift drift_from_json(const nlohmann::json& value);

// object[key] when it is an array (object), otherwise an empty one.
nlohmann::json array_at(const nlohmann::json& object, const char* key);
nlohmann::json object_at(const nlohmann::json& object, const char* key);

} // namespace scad::session
