#pragma once

#include <span>
#include <string_view>

namespace scad::agent {

// One built-in agent definition: the file's name without ".toml", and its text.
struct PresetData {
    std::string_view name;
    std::string_view toml;
};

// The definitions in presets/*.toml as they were when scad was built, sorted by name. They live as long as
// the program.
std::span<const PresetData> builtin_presets();

} // namespace scad::agent
