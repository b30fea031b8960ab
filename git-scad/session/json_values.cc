#include "session/json_values.h"

#include "base/json.h"

#include <nlohmann/json.hpp>

namespace scad::session {

nlohmann::json pairs_to_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
    nlohmann::json array = nlohmann::json::array();
    for (const auto& [name, value] : pairs) array.push_back(nlohmann::json::array({name, value}));
    return array;
}

std::vector<std::pair<std::string, std::string>> pairs_from_json(const nlohmann::json& value) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& pair : value)
        if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string())
            pairs.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
    return pairs;
}

nlohmann::json repo_states_to_json(const std::vector<workspace::RepoState>& states) {
    nlohmann::json array = nlohmann::json::array();
    for (const auto& state : states)
        array.push_back({{"repo", state.repo},
                         {"branch", state.branch},
                         {"head", state.head},
                         {"wip", state.wip},
                         {"ahead", state.ahead},
                         {"changed", state.changed},
                         {"untracked", state.untracked},
                         {"ignored", state.ignored},
                         {"nested", state.nested},
                         {"unreadable", state.unreadable},
                         {"tags", state.tags},
                         {"worktrees", state.worktrees},
                         {"unsaved", state.unsaved},
                         {"problem", state.problem}});
    return array;
}

workspace::RepoState repo_state_from_json(const nlohmann::json& value) {
    workspace::RepoState state;
    if (!value.is_object()) return state;
    state.repo = base::find_string(value, "repo");
    state.branch = base::find_string(value, "branch");
    state.head = base::find_string(value, "head");
    state.wip = base::find_string(value, "wip");
    state.ahead = base::find_int(value, "ahead");
    state.changed = base::find_int(value, "changed");
    state.untracked = base::find_int(value, "untracked");
    state.ignored = base::find_int(value, "ignored");
    state.nested = base::find_int(value, "nested");
    state.unreadable = base::find_int(value, "unreadable");
    state.tags = base::find_int(value, "tags");
    state.worktrees = base::find_int(value, "worktrees");
    for (const auto& name : array_at(value, "unsaved"))
        if (name.is_string()) state.unsaved.push_back(name.get<std::string>());
    state.problem = base::find_string(value, "problem");
    return state;
}

nlohmann::json drift_to_json(const environment::Drift& drift) {
    return {{"added", drift.added}, {"removed", drift.removed}, {"changed", drift.changed}};
}

environment::Drift drift_from_json(const nlohmann::json& value) {
    environment::Drift drift;
    if (value.empty()) return drift;
    drift.added = base::get_strings(value, "added");
    drift.removed = base::get_strings(value, "removed");
    drift.changed = base::get_strings(value, "changed");
    return drift;
}

nlohmann::json array_at(const nlohmann::json& object, const char* key) {
    if (object.is_object())
        if (const auto found = object.find(key); found != object.end() && found->is_array()) return *found;
    return nlohmann::json::array();
}

nlohmann::json object_at(const nlohmann::json& object, const char* key) {
    if (object.is_object())
        if (const auto found = object.find(key); found != object.end() && found->is_object()) return *found;
    return nlohmann::json::object();
}

} // namespace scad::session
