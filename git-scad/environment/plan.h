#pragma once

#include "project/project.h"

#include <map>
#include <string>
#include <vector>

namespace scad::environment {

// What is to be baked, and the name of the result.
struct Plan {
    std::string id;                         // hash of all that it depends on, in hex
    std::string base;                       // "host"
    std::map<std::string, std::string> env; // variables of every job
    std::vector<std::string> steps;         // what baking does, one line each for a person
    bool operator==(const Plan&) const = default;
};

// Pure: the same project gives the same plan. Fatal for what this build cannot bake, with its place in the
// project file.
Plan plan_environment(const project::Project& project);

} // namespace scad::environment
