#pragma once

#include "base/toml.h"
#include "project/project.h"

#include <string>
#include <vector>

namespace scad::project {

// Something that a project asks for and that this build cannot do.
struct Unsupported {
    base::Place place;
    std::string message;
    bool operator==(const Unsupported&) const = default;
};

// All that a session or a build of this project would need and this build does not have, in the order of the
// schema. Showing, checking and approving a project need none of it. Triggers are not among them: they are
// read and listed, and start nothing (see warnings()). Pure.
std::vector<Unsupported> unsupported(const Project& project);

// Fatal, with all of them and their places, unless unsupported() is empty. For whoever starts a session or
// builds.
void require_supported(const Project& project);

// What is no error and yet not what the writer may think: triggers that this build does not run, an allow
// list without mode "allow". Pure.
std::vector<Unsupported> warnings(const Project& project);

} // namespace scad::project
