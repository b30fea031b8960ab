#pragma once

#include "environment/facts.h"
#include "project/project.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace scad::environment {

// Where things are in a session and while baking.
inline constexpr const char* own_path = "/opt/scad";
inline constexpr const char* venv_path = "/opt/scad/venv";
inline constexpr const char* cache_path = "/var/cache/scad"; // while baking only

using Variables = std::vector<std::pair<std::string, std::string>>;

// One program that is run while baking. What it writes below /opt/scad and /work/<repo> is a layer, named by
// the step's id.
struct Step {
    std::string id;    // hash of all that it depends on, what went before it included, in hex
    std::string title; // for a person, one line
    std::vector<std::string> argv;
    std::string directory; // where it stands, inside
    Inputs inputs;         // all that it sees below /work
    bool operator==(const Step&) const = default;
};

// What is to be baked, and the name of the result.
struct Plan {
    std::string id; // of its last step; without steps of what there is
    std::string project;
    std::string key;     // names the project among all: for its lock, its log and its caches of packages
    std::string base;    // "host"
    Variables variables; // of every job, sorted by name; PATH is what goes before the system's own
    std::vector<Tool> tools;
    std::vector<std::string> repos; // in whose working copies steps may write
    bool venv = false;              // there is one at venv_path
    std::vector<Step> steps;
    project::NetworkMode network = project::NetworkMode::allow; // while baking
    std::vector<std::string> hosts;                             // that it may reach then
    bool operator==(const Plan&) const = default;
};

// Pure: the same project and facts give the same plan.
Plan plan_environment(const project::Project& project, const Facts& facts);

// The hosts that baking may reach where the project file does not list them: what its steps need, by their
// kind, by the words of their commands, and by the addresses in requirement files. Pure.
std::vector<std::string> needed_hosts(const project::Environment& environment, const Facts& facts);

} // namespace scad::environment
