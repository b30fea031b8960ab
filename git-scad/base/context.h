#pragma once

#include "base/host_git.h"
#include "base/paths.h"
#include "base/terminal.h"
#include "base/variables.h"

#include <filesystem>

namespace scad::base {

// What main read of the outside world, once, and hands to every command: nothing below reads the environment,
// the settings or the clock by itself.
struct Context {
    Variables variables;
    Settings settings;
    Paths paths;
    std::filesystem::path directory; // where the user stands (after -C)
    Terminal& terminal;
};

} // namespace scad::base
