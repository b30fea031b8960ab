#include "environment/plan.h"

#include "base/error.h"
#include "base/text.h"
#include "project/support.h"

#include <nlohmann/json.hpp>

namespace scad::environment {

namespace {

// Raised whenever the same plan is baked into something else, so that old results are not taken for new ones.
constexpr int format_version = 1;

} // namespace

Plan plan_environment(const project::Project& project) {
    project::require_supported(project);
    const auto& wanted = project.environment;
    Plan plan;
    plan.base = wanted.base;
    plan.env = wanted.env;
    plan.steps.emplace_back("take the host's programs, read only");
    for (const auto& [name, value] : plan.env) plan.steps.push_back("set " + name);
    // Keys in order and no blanks: the same plan is the same text.
    nlohmann::json depends_on = {{"format", format_version}, {"base", plan.base}, {"env", plan.env}};
    auto text = depends_on.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    plan.id = base::sha256_hex(text).substr(0, 40);
    return plan;
}

} // namespace scad::environment
