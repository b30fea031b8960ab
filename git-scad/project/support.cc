#include "project/support.h"

#include "base/file.h"
#include "project/problems.h"
#include "project/schema.h"
#include "project/show.h"

#include <algorithm>

namespace scad::project {

namespace {

// "repos.code.url" -> "repos.*.url", "environment.setup[0].run" -> "environment.setup[].run"; as full_name()
// has it. A mount's target may have dots in it, so the sections with names are told apart by their first
// word.
std::string generic_name(const std::string& place) {
    for (const std::string section : {"repos.", "mounts."}) {
        if (!place.starts_with(section)) continue;
        auto last = place.rfind('.');
        if (last < section.size()) return section + "*";
        return section + "*" + place.substr(last);
    }
    std::string name;
    bool index = false;
    for (char c : place) {
        if (c == ']') index = false;
        if (!index) name += c;
        if (c == '[') index = true;
    }
    return name;
}

base::Place place_of(const Project& project, const std::string& name, const base::Place& otherwise) {
    auto found = project.places.find(name);
    return found == project.places.end() ? otherwise : found->second;
}

} // namespace

std::vector<Unsupported> unsupported(const Project& project) {
    std::vector<Unsupported> lacks;
    auto lack = [&](const base::Place& place, std::string message) {
        lacks.push_back({place, std::move(message)});
    };
    // Keys that are lacking whatever their value, but for "none at all".
    auto used = [&](const std::string& name) {
        const auto& environment = project.environment;
        if (name == "environment.packages") return !environment.packages.empty();
        return true;
    };
    for (const auto& key : schema()) {
        if (!key.lacking) continue;
        for (const auto& [name, place] : project.places) {
            if (generic_name(name) == full_name(key) && used(name))
                lack(place, fmt::format("'{}' is not supported in this build", name));
        }
    }
    for (const auto& mount : project.mounts) {
        auto name = "mounts." + toml_key(mount.target);
        if (mount.source.find("{session}") != std::string::npos) {
            lack(place_of(project, name + ".source", mount.place),
                 "'{session}' in a mount's source is not supported in this build");
        }
    }
    if (project.environment.base != "host") {
        lack(place_of(project, "environment.base", project.environment.place),
             fmt::format("the base '{}' is not supported in this build, only 'host'",
                         project.environment.base));
    }
    const auto& agent = project.agent.use;
    if (agent != "claude" && agent != "command") {
        lack(
            place_of(project, "agent.use", project.agent.place),
            fmt::format("the agent '{}' is not supported in this build, only 'claude' and 'command'", agent));
    }
    return lacks;
}

void require_supported(const Project& project) {
    Problems problems;
    for (const auto& lack : unsupported(project)) {
        auto text = lack.place.file.empty() ? std::nullopt : base::read_if_exists(lack.place.file);
        if (text) problems.add_source(lack.place.file, std::move(*text));
        problems.add(lack.place, lack.message);
    }
    problems.require_none(
        fmt::format("the project '{}' needs what this build of scad does not have", project.name));
}

std::vector<Unsupported> warnings(const Project& project) {
    std::vector<Unsupported> found;
    for (const auto& trigger : project.triggers) {
        found.push_back({trigger.place, "triggers start nothing in this build"});
    }
    if (project.network.mode != NetworkMode::allow && !project.network.allow.empty()) {
        found.push_back({place_of(project, "network.allow", project.network.place),
                         "'network.allow' means nothing unless 'network.mode' is 'allow'"});
    }
    return found;
}

} // namespace scad::project
