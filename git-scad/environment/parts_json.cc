#include "environment/parts_json.h"

#include "base/error.h"
#include "base/json.h"

#include <nlohmann/json.hpp>

namespace scad::environment {

nlohmann::json to_json(const Parts& parts) {
    nlohmann::json tools = nlohmann::json::array();
    for (const Tool& tool : parts.tools)
        tools.push_back({{"target", tool.target},
                         {"source", tool.source.native()},
                         {"path", tool.path},
                         {"mounted", tool.mounted}});
    return {{"opt", parts.opt},
            {"venv", parts.venv},
            {"work", parts.work},
            {"made", parts.made},
            {"tools", tools}};
}

Parts parts_from_json(const nlohmann::json& json) {
    Parts parts;
    if (!json.is_object() || json.empty()) return parts;
    parts.opt = base::get_strings(json, "opt");
    parts.venv = base::get_strings(json, "venv");
    if (json.contains("made")) parts.made = base::get_strings(json, "made");
    const auto work = json.find("work");
    if (work == json.end() || !work->is_object()) throw fatal("an environment has no 'work'");
    for (const auto& item : work->items()) parts.work[item.key()] = base::get_strings(*work, item.key());
    const auto tools = json.find("tools");
    if (tools == json.end() || !tools->is_array()) throw fatal("an environment has no 'tools'");
    for (const auto& tool : *tools)
        parts.tools.push_back({base::get_string(tool, "target"), base::get_string(tool, "source"),
                               base::get_string(tool, "path"), base::get_bool(tool, "mounted")});
    const auto check = [](const std::vector<std::string>& ids) {
        for (const std::string& id : ids)
            if (!is_id(id)) throw fatal("an environment has a layer '{}'", id);
    };
    check(parts.opt);
    check(parts.venv);
    for (const auto& [repo, ids] : parts.work) check(ids);
    return parts;
}

} // namespace scad::environment
