#pragma once

#include "engine/sandbox_spec.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scad::environment {

// One kind of base: the system that steps and sessions find. One implementation for each.
class Environment {
  public:
    virtual ~Environment() = default;
    virtual std::string_view name() const = 0; // "host"
    // The mounts of a sandbox that sees it.
    virtual std::vector<engine::Mount> root(engine::NetworkMode network,
                                            const std::string& hostname) const = 0;
};

// For the base of a project file. Fatal for one that this build does not have.
std::unique_ptr<Environment> make_environment(std::string_view base);

} // namespace scad::environment
