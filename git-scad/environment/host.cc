#include "base/error.h"
#include "environment/environment.h"

namespace scad::environment {

namespace {

// The host's own programs, read only: nothing to install, so baking only sets down what jobs are given.
class HostEnvironment : public Environment {
  public:
    std::string_view name() const override { return "host"; }

    void bake(const Plan& plan, const std::filesystem::path& /*directory*/,
              const std::function<void(std::string_view)>& tell) const override {
        for (const auto& step : plan.steps) tell(step);
    }
};

} // namespace

std::unique_ptr<Environment> make_environment(std::string_view base) {
    if (base == "host") return std::make_unique<HostEnvironment>();
    throw fatal("the base '{}' is not supported in this build, only 'host'", base);
}

} // namespace scad::environment
