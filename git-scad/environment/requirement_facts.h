#pragma once

#include "environment/facts.h"

#include <functional>

namespace scad::environment {

// Follows requirement files ("<repo>/<path>") to all that they name in their repo: further files,
// constraints, directories of wheels, packages. `refuse` is called with what is wrong and a hint, and does
// not return.
RequirementFacts requirement_facts(const std::vector<std::string>& files, const Sources& sources,
                                   const std::function<void(const std::string&, const std::string&)>& refuse);

} // namespace scad::environment
