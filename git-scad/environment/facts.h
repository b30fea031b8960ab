#pragma once

#include "base/variables.h"
#include "environment/sources.h"
#include "project/project.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::environment {

// A host directory that sessions and the baking see at the same path.
struct Tool {
    std::string target;           // where it is seen; its `bin`, or itself, is put on PATH
    std::filesystem::path source; // its real path
    std::string path;             // what is put on PATH
    bool mounted = true;          // false: it is seen anyway, below /usr or /opt
    bool operator==(const Tool&) const = default;
};

// Requirement files with all that they name.
struct RequirementFacts {
    Inputs inputs;
    std::string directory;              // where pip stands: the repo's top, for paths in the files
    std::vector<std::string> options;   // of their index lines, as words of a command line
    std::vector<std::string> addresses; // that pip is led to by them
    bool hashes = false;                // pip wants a hash of each package
};

struct PythonFacts {
    std::string interpreter; // path, the same outside and inside
    std::string identity;    // of the program behind it: changes when the host's Python does
    RequirementFacts requirements;
    Inputs project;  // of python.project
    std::string uv;  // where uv is, when the project has a uv.lock
    Inputs editable; // of python.editable
};

// What a plan depends on beyond the project file: the host's programs, and the base commits.
struct Facts {
    std::vector<Tool> tools;
    std::optional<PythonFacts> python;
    std::vector<Inputs> setup; // of each step
};

// Looks at the host's disk and asks its repos. Fatal, with the place in the project file: an input that the
// base commit does not have, no interpreter that a session can see, a uv.lock without uv.
Facts gather_facts(const project::Project& project, const Sources& sources, const base::Variables& variables);

// "code/src" -> "code" and "src". Pure.
struct RepoPath {
    std::string repo, path;
};
RepoPath split_repo_path(const std::string& text);

// The part of a package's files that installing it in editable form depends on: what lies at its top, the
// names of the directories that hold modules, and the files that a version is read from. `all`: the files at
// or below `directory` ("": the repo's top). So a commit that changes only code leaves the environment as it
// is. Pure.
std::vector<InputFile> package_layout(const std::vector<InputFile>& all, const std::string& directory);

// Whether a program at this path (absolute, normal) can be seen by the baking and by sessions. Pure.
bool is_visible(const std::string& path, const std::vector<Tool>& tools);

} // namespace scad::environment
