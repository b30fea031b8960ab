#pragma once

#include "agent/agent.h"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace scad::agent {

// An agent's program, kept by scad.
struct Program {
    std::string id;                  // of its content
    std::filesystem::path directory; // <store>/<id>, read-only
    std::string entry;               // what to run, relative to the directory ("bin/claude")
    std::vector<std::string> path;   // directories for PATH, relative ("bin")
    std::filesystem::path found_at;  // on the host
};

// Finds the agent's program on the PATH in `environment` wherever it is installed, and keeps a copy of it
// with what it needs in `store` (content-addressed, made whole, read-only; found again without reading it all
// while path, inode, size and mtime are the same): a native program with its libraries outside /usr; for a
// script with "#!" its interpreter; for a Node package the whole package (up to and with its node_modules)
// and the node that it runs on. Fatal when it is not installed: says how to get it (agent.install).
Program install_program(const Agent& agent, const std::vector<std::string>& environment,
                        const std::filesystem::path& store);

// The ids of the programs in `store` that would be found again: for each place on the host, the newest copy.
// Empty: it cannot be told.
std::optional<std::set<std::string>> newest_programs(const std::filesystem::path& store);

} // namespace scad::agent
