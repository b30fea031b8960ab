#pragma once

#include "base/context.h"
#include "project/project.h"

#include <filesystem>
#include <string>

namespace scad::project {

// Whether `name` may name a session, project or repo: [a-z0-9][a-z0-9._-]{0,39}, no "..", no ".lock" at the
// end, neither "head" nor "wip". Empty: it may; otherwise why not.
std::string name_problem(const std::string& name);

// Reads <docs_repo>/.scad/<name>.toml and <name>.local.toml over it. All errors of the files in one fatal
// Error: "file:line:col: message" with a caret line each, and "did you mean" hints; exit status 128. Paths
// are resolved and checked to exist.
Project load(const std::filesystem::path& docs_repo, const std::string& name, const base::Context& context);

// The project as TOML with every default filled in, for `config show`.
std::string to_toml(const Project& project);
// The same as JSON (one document with a "version").
std::string to_json(const Project& project);

} // namespace scad::project
