#pragma once

#include "base/paths.h"
#include "engine/sandbox_spec.h"
#include "session/session.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

inline constexpr std::string_view agents_path = "/opt/scad/agents"; // Paths::agents() inside
inline constexpr std::uint16_t proxy_port = 3128;                   // of network mode `allow`

// The sandbox of a session: the host's programs, /work with its repos, mounts, README.md, home, tmp, agents'
// programs. Pure but for host_root(), which is handed in.
engine::SandboxSpec session_spec(const Session& session, const base::Paths& paths,
                                 std::vector<engine::Mount> host_root);

// Sandboxes for one git service on one repo of a stopped session; no home, no network, no mounts. To fetch
// from it: its git directory, read-only, and objects.
engine::SandboxSpec fetch_spec(const Session& session, const std::string& repo,
                               std::vector<engine::Mount> host_root);
// To push into it: all of the repo, writable, because the branch that is checked out is updated with its
// files.
engine::SandboxSpec push_spec(const Session& session, const base::Paths& paths, const std::string& repo,
                              std::vector<engine::Mount> host_root);

// The environment of every program in the session, without secrets: PATH, HOME=/home/agent, USER, LANG,
// TERM=dumb, SCAD_SESSION, SCAD_PROJECT, proxy variables with network `allow`, those of the environment;
// GIT_CONFIG_* never.
std::vector<std::string> session_environment(const Session& session,
                                             const std::vector<std::string>& path_first);

// /work/README.md.
std::string session_readme(const Session& session);

} // namespace scad::session
