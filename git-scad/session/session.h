#pragma once

#include "agent/user_files.h"
#include "engine/devices.h"
#include "engine/sandbox_spec.h"
#include "environment/drift.h"
#include "environment/layers.h"
#include "workspace/snapshot.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::session {

std::string_view network_name(engine::NetworkMode mode); // "none", "allow", "host"

struct SessionRepo {
    std::string name;
    std::filesystem::path host; // the host repo's working tree (bare: its git directory), for messages and -C
    std::filesystem::path common_dir; // identifies it
    std::vector<std::filesystem::path> objects;
    std::string base_commit;
    std::string base_branch;       // its name as a branch of origin in the session
    std::string branch;            // the work branch
    std::string tree;              // key of its base tree; empty: it has none
    std::string base_ref = {};     // of the host, "refs/heads/main" …; empty: the base is no branch
    std::string start_commit = {}; // where the work branch starts, on top of the base; empty: at the base
    std::string url = {};          // of a repo that the project names by it
    bool operator==(const SessionRepo&) const = default;
};

struct SessionMount {
    std::string target;
    std::filesystem::path source;
    bool writable = false;
    bool file = false;      // the source is a regular file
    std::string layer = {}; // what the session changes in it lies here, below its own directory: upper, work
    bool operator==(const SessionMount&) const = default;
};

// session.json: what a session is. Written once, when it starts.
struct Session {
    std::string name;
    std::string project;
    std::filesystem::path docs_repo;
    std::int64_t created = 0;
    std::string branch;       // how work branches are called, "{session}" not filled in; empty: "{session}"
    std::string forked_from;  // the session that it was copied from; empty: none
    std::string engine;       // "bubblewrap"
    std::string workspace;    // "overlay", "copy"
    std::string environment;  // id
    environment::Parts parts; // of the environment, what is mounted
    std::vector<std::pair<std::string, std::string>> variables; // of the environment
    std::vector<SessionRepo> repos;
    std::vector<SessionMount> mounts;
    engine::DeviceRequest devices;
    engine::NetworkMode network = engine::NetworkMode::allow;
    std::vector<std::string> allow; // the project's and its agent's hosts
    engine::SandboxLimits limits;
    std::optional<std::chrono::seconds> time, idle; // of one job
    std::string agent;                              // default of its jobs
    std::string model;
    std::string login = "auto";              // what its jobs sign in with: [agent] login
    std::vector<agent::UserFile> user_files; // what its home got of the user's own
    std::vector<std::string> mcp;            // the MCP servers of the user's that it has, by name
    std::string agent_directory;             // "/work/code"
    std::vector<std::string> secrets;        // names of [agent] env

    std::filesystem::path directory; // state/sessions/<name>; not stored

    std::filesystem::path repo_directory(const std::string& repo) const { return directory / "repos" / repo; }
    std::filesystem::path quarantine(const std::string& repo) const {
        return repo_directory(repo) / "quarantine.git";
    }
    std::filesystem::path jobs() const { return directory / "jobs"; }
    const SessionRepo* repo(const std::string& wanted) const;
};

std::string to_json(const Session& session);                  // a document with version 1
Session read_session(const std::filesystem::path& directory); // fatal when it is not readable

enum class State { starting, live, stopped, lost, removing, damaged };
std::string_view state_name(State state);

// status.json: where it stands. Replaced after each snapshot and at stop; for `status`, which asks no
// sandbox.
struct Status {
    std::string phase; // "starting", "live", "stopped", "removing": what was meant; together with the lock on
                       // `alive` it gives the State
    std::vector<workspace::RepoState> repos;
    std::int64_t taken = 0; // when the last snapshot was taken
    std::vector<engine::LimitMeans> limits;
    std::vector<std::string> devices; // nodes that its sandbox was given
    std::vector<std::pair<std::string, std::string>>
        device_variables;     // what they need beside Session::variables
    environment::Drift drift; // of the virtual environment, as of the last snapshot; foreign text
    std::string note;         // why it ended by itself
};
Status read_status(const std::filesystem::path& session_directory); // a missing one is an empty one
void write_status(const std::filesystem::path& session_directory, const Status& status, bool synced);

// What these facts mean. Pure. `alive`: somebody holds the flock on `alive`; `busy`: somebody holds
// state/locks/<name>; `whole`: its base trees and files are there.
State decide_state(const std::string& phase, bool alive, bool busy, bool whole);

} // namespace scad::session
