#pragma once

#include "project/document.h"
#include "project/problems.h"

#include <filesystem>
#include <optional>
#include <string>

namespace scad::project {

// The files of a project, read and laid over one another, before anything is checked.
struct Files {
    Node document;
    std::filesystem::path file;
    std::optional<std::filesystem::path> local_file;
};

// Reads <docs_repo>/.scad/<name>.toml and, when it is there, <name>.local.toml over it. Syntax errors and
// wrong shapes (check_shape) of each file are added to `problems`. Fatal when the first is missing.
Files read_files(const std::filesystem::path& docs_repo, const std::string& name, Problems& problems);

} // namespace scad::project
