#pragma once

#include "base/toml.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scad::project {

// A project file as read, with defaults filled in, the local file laid over it and paths resolved. Values
// only; `place` tells where it stands for messages.

struct Repo {
    std::string name;
    std::filesystem::path path; // absolute; empty with url
    std::string url;            // empty with path
    std::string base;           // a revision; empty: the repo's HEAD
    std::vector<std::string> include;
    base::Place place;
    bool operator==(const Repo&) const = default;
};

enum class MountMode { ro, rw, cow };

struct Mount {
    std::string target; // absolute, inside
    std::string source; // absolute; "{session}" is left as it is
    MountMode mode = MountMode::ro;
    base::Place place;
    bool operator==(const Mount&) const = default;
};

struct SetupStep {
    std::string run;
    std::vector<std::string> inputs; // "<repo>/<path>"
    base::Place place;
    bool operator==(const SetupStep&) const = default;
};

struct Python {
    std::vector<std::string> requirements;
    std::string project, version, interpreter;
    std::vector<std::string> editable;
    base::Place place;
    bool operator==(const Python&) const = default;
};

enum class NetworkMode { none, allow, host };

struct Environment {
    std::string base = "host";
    std::vector<std::string> tools; // absolute
    std::vector<std::string> packages;
    std::optional<Python> python;
    std::vector<SetupStep> setup;
    NetworkMode network = NetworkMode::allow; // while baking
    std::vector<std::string> network_allow;
    std::map<std::string, std::string> env;
    bool gpu = false;
    std::vector<std::string> devices;
    base::Place place;
    bool operator==(const Environment&) const = default;
};

// Processes and threads of a session where the project names no limit: enough for parallel builds, and a
// bound for a fork bomb.
inline constexpr std::uint64_t default_pids = 4096;

struct Limits {
    std::optional<double> cpus;
    std::optional<std::uint64_t> memory, disk, shm; // bytes
    std::optional<std::uint64_t> pids;
    std::optional<std::chrono::seconds> time, idle; // of one job
    bool strict = false;
    base::Place place;
    bool operator==(const Limits&) const = default;
};

struct Network {
    NetworkMode mode = NetworkMode::allow;
    std::vector<std::string> allow;
    base::Place place;
    bool operator==(const Network&) const = default;
};

struct Agent {
    std::string use = "claude";
    std::string model;
    std::string directory; // inside; default: the first repo
    std::string login = "auto";
    std::vector<std::string> env;
    std::optional<std::vector<std::string>> files; // absolute; none: the agent's own default
    std::vector<std::string> file_sources;         // their real paths, in the same order
    std::vector<std::string> mcp;                  // names of MCP servers of the user's
    base::Place place;
    bool operator==(const Agent&) const = default;
};

struct Trigger {
    std::string on, repo, session, prompt;
    std::vector<std::string> paths, branches;
    base::Place place;
    bool operator==(const Trigger&) const = default;
};

struct Project {
    std::string name;
    std::filesystem::path docs_repo; // top of the repo that holds .scad
    std::filesystem::path file;      // …/.scad/<name>.toml
    std::optional<std::filesystem::path> local_file;
    std::vector<Repo> repos;   // in the order of the file
    std::vector<Mount> mounts; // in the order of the file
    Environment environment;
    Limits limits;
    Network network;
    Agent agent;
    std::string branch = "{session}";
    std::vector<Trigger> triggers;
    std::map<std::string, base::Place> places; // where each key that was written stands: "environment.base",
                                               // "repos.code.url", "trigger[0].on"
    bool operator==(const Project&) const = default;
};

} // namespace scad::project
