#pragma once

#include "base/paths.h"
#include "engine/engine.h"
#include "environment/plan.h"
#include "environment/store.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace scad::environment {

// What a person is told of a build. Any may be empty. `number` counts from 1.
struct Progress {
    std::function<void()> waits; // for a build of the same project
    std::function<void(std::size_t number, const Step& step)> begins;
    // Now and then while it runs: its last line of output, foreign text, and how long it has taken.
    std::function<void(std::size_t number, const Step& step, std::string_view line,
                       std::chrono::milliseconds time)>
        runs;
    // `kept`: nothing was done, an earlier build had the same.
    std::function<void(std::size_t number, const Step& step, bool kept, std::chrono::milliseconds time)>
        ended;
};

struct BakeOptions {
    bool renew = false; // take nothing from an earlier build, and no packages from a cache
    engine::SandboxLimits limits;
};

// Bakes a plan: each step that no earlier build has done in a sandbox of its own. What a step leaves is put
// in place by one rename, and the environment after the last one, so that a build that is killed leaves whole
// steps only; the next one goes on from there. Two builds of a project are done one after the other, and the
// second finds all done. Fatal: a step that failed, with the last lines of its output and where all of it is;
// one that wrote over a file that its repo tracks.
Baked bake(const base::Paths& paths, const Plan& plan, const Sources& sources, const engine::Engine& engine,
           const BakeOptions& options, const Progress& progress);

} // namespace scad::environment
