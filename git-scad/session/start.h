#pragma once

#include "base/context.h"
#include "project/project.h"
#include "session/job.h"
#include "session/logins.h"
#include "session/ports.h"
#include "session/session.h"
#include "session/store.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scad::session {

// The limits of a sandbox of this project, with the defaults filled in.
engine::SandboxLimits limits_of(const project::Limits& wanted);

struct StartOptions {
    std::string name;                         // empty: generated
    std::string stem;                         // for a generated name; empty: the project's name
    std::string engine;                       // empty: scad.engine, else "bubblewrap"
    std::map<std::string, std::string> bases; // repo -> a revision of it, in place of the project's
    std::vector<PortLease> ports;             // wished
    bool with_changes = false; // the host's uncommitted work comes along, as a commit on top of the base
};

// Makes a session of a trusted, supported project whose environment is baked and whose repos by url were
// fetched (session/url_repos.h), and starts it: directory whole, pins, supervisor ready, remotes and refs
// last. A kill at any point leaves what the next command repairs or sweeps. Fatal: name in use or with refs
// left of an earlier session (`git scad code prune <name>`), environment or base tree missing (`git scad
// build <project>`: base trees are made here when only the base moved on).
Session start_session(const base::Context& context, const project::Project& project,
                      const StartOptions& options);

// The agent of a new session: the user's scad.agent goes before what the project names.
std::string agent_of(const base::Context& context, const project::Project& project);

// One piece of work for a session.
struct InjectOptions {
    std::string prompt;
    std::string prompt_name;          // where it came from: "-m", "-F plan.md", "-p fix"
    std::vector<std::string> command; // agent "command"
    std::string agent;                // empty: the session's
    std::string model;
    bool resume = false; // --continue: the last conversation of that agent in the session
    std::optional<std::uint64_t> resume_job;
    std::optional<std::chrono::seconds> time, idle;
};

struct Injection {
    Job job;
    std::map<std::string, std::string> secrets; // by the variable that the job gets; in memory only
};

// Makes the job (on disk, `queued`) with the agent's program installed into scad's store; does not start it.
// Fatal: unknown agent, program not installed, no credential, nothing to continue, empty prompt.
Injection prepare_job(const base::Context& context, const Session& session, const InjectOptions& options,
                      Logins& logins);
// Which kind of login a job of that agent has in the session: the project's choice is about its own agent.
std::string login_mode(const Session& session, const std::string& agent);

} // namespace scad::session
