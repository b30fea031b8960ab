#pragma once

#include "environment/plan.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace scad::environment {

// One way to make what programs find in a session: plan -> bake -> an immutable directory named by its
// content. One implementation for each kind of base.
class Environment {
  public:
    virtual ~Environment() = default;
    virtual std::string_view name() const = 0; // "host"
    // Bakes into `directory`, which is the plan's own and empty, and tells each step before it is taken.
    // Fatal: a step failed.
    virtual void bake(const Plan& plan, const std::filesystem::path& directory,
                      const std::function<void(std::string_view step)>& tell) const = 0;
};

// For the base of a project file. Fatal for one that this build does not have.
std::unique_ptr<Environment> make_environment(std::string_view base);

} // namespace scad::environment
