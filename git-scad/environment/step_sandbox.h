#pragma once

#include "engine/engine.h"
#include "engine/runner.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::environment {

// How a program of the baking ended.
struct StepEnd {
    int wait_status = 0;
    std::string reason; // why it was ended before it ended by itself; empty: it was not
    bool ok() const { return wait_status == 0 && reason.empty(); }
};

// Runs a program in a sandbox of its own until nothing of it is left. Both its output streams go to `output`,
// as they come; `tick` is called now and then meanwhile. In network mode `allow` it reaches `hosts`, through
// a proxy; a host that is refused is told in its output.
StepEnd run_step(const engine::Engine& engine, const engine::SandboxSpec& spec,
                 const engine::RunRequest& request, const std::vector<std::string>& hosts,
                 const std::function<void(std::string_view)>& output, const std::function<void()>& tick);

} // namespace scad::environment
