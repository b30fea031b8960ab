#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace scad::agent {

// What a copy of an agent's program is made of. Targets are relative to its directory.
struct ProgramPlan {
    std::map<std::string, std::filesystem::path>
        trees;                                  // target -> a host file, or a directory with all below it
    std::map<std::string, std::string> links;   // target -> what the symbolic link says
    std::map<std::string, std::string> scripts; // target -> content of an executable script
    std::string entry;                          // what to run
    std::vector<std::string> path;              // directories for PATH
    std::vector<std::filesystem::path> sources; // all host files and directories that were looked at: while
                                                // they stay as they are, so does the plan
    std::map<std::string, std::filesystem::path> lookups; // name -> where PATH led
};

// Decides what is copied for a program found at `found`:
// - a native program: itself as bin/<name>, and the libraries that its run paths find outside the system;
// - a script for Node (or Bun, Deno): its package, the packages that this one depends on as Node finds them,
// and the interpreter unless it is the system's; bin/<name> starts it;
// - a shell script that does nothing but exec another program, or is a launcher of npm's or pnpm's making:
// what it leads to. Fatal, with what to do, for anything else: shims of version managers, Python programs,
// programs of a foreign loader. Reads only, executes nothing.
ProgramPlan plan_program(const std::string& name, const std::filesystem::path& found,
                         const std::vector<std::string>& environment);

// "#!interpreter arguments" of a script's first line, "env" seen through: {"node", "--no-warnings"}. Empty:
// no such line. Pure.
std::vector<std::string> parse_shebang(std::string_view content);

// What a launching shell script leads to: the words after `exec`, without "$@". `directory` is where the
// script lies, for those that start from there. Empty: it does more than that. Pure.
std::vector<std::string> parse_launcher(std::string_view content, const std::filesystem::path& directory,
                                        const std::string& home);

// The directories of a Node package and of all that it depends on, by Node's own rule (node_modules here and
// above, as far as `top`), and the links between them.
struct NodePackages {
    std::filesystem::path top;                          // outermost directory that anything is taken from
    std::vector<std::filesystem::path> directories;     // absolute, none below another
    std::map<std::filesystem::path, std::string> links; // absolute -> what the symbolic link says
};
NodePackages find_packages(const std::filesystem::path& script);

} // namespace scad::agent
