#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace scad::project {

struct TemplateInput {
    std::string name;
    std::vector<std::pair<std::string, std::string>> repos; // name, path or url as written into the file
    std::vector<std::string> mounts;                        // host directories
};

// The commented project file that `init` writes. Parses without an error. Pure.
std::string project_template(const TemplateInput& input);

} // namespace scad::project
