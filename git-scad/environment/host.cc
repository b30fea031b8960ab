#include "base/error.h"
#include "engine/engine.h"
#include "environment/environment.h"

namespace scad::environment {

namespace {

// The host's own programs, read only.
class HostEnvironment : public Environment {
  public:
    std::string_view name() const override { return "host"; }
    std::vector<engine::Mount> root(engine::NetworkMode network, const std::string& hostname) const override {
        return engine::host_root(network, hostname);
    }
};

} // namespace

std::unique_ptr<Environment> make_environment(std::string_view base) {
    if (base == "host") return std::make_unique<HostEnvironment>();
    throw fatal("the base '{}' is not supported in this build, only 'host'", base);
}

} // namespace scad::environment
