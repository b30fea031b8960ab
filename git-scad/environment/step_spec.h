#pragma once

#include "base/paths.h"
#include "engine/runner.h"
#include "environment/layers.h"
#include "environment/plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::environment {

engine::NetworkMode engine_mode(project::NetworkMode mode);

// Where one step works: a directory that is being made into a layer. Below it, each in a directory of its own
// with upper, work and lock: `opt` and `work-<repo>`; further inputs/<repo>, home, tmp.
struct StepPlace {
    std::filesystem::path directory;
    std::filesystem::path cache; // of packages, writable
    std::filesystem::path scratch(const std::string& name) const { return directory / "scratch" / name; }
    std::filesystem::path upper_of_opt() const { return scratch("opt") / "upper"; }
    std::filesystem::path upper_of_repo(const std::string& repo) const {
        return scratch("work-" + repo) / "upper";
    }
    std::filesystem::path inputs(const std::string& repo) const { return scratch("inputs") / repo; }
};

// Makes the directories of a step.
void prepare_place(const StepPlace& place, const Plan& plan);

// The sandbox of a step of this plan over the layers below it: a session's own kind, with nothing of the
// host's but the base, the tools and the caches of packages that are scad's own.
engine::SandboxSpec step_spec(const Plan& plan, const Parts& below, const StepPlace& place,
                              const base::Paths& paths, const engine::SandboxLimits& limits);

// What it runs there, without streams.
engine::RunRequest step_request(const Plan& plan, const Step& step);

// A sandbox that only looks at an environment, and what it runs to list the packages of the virtual
// environment.
engine::SandboxSpec listing_spec(const Plan& plan, const Parts& parts, const base::Paths& paths);
engine::RunRequest listing_request();

} // namespace scad::environment
