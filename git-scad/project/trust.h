#pragma once

#include "base/context.h"
#include "project/project.h"

#include <string>
#include <vector>

namespace scad::project {

// One thing that a project asks of the host beyond its own docs repo. `line` is canonical (the same request,
// the same text) and what a person reads: "mount /data/imagenet read-write from /home/u/x", "repo code at
// /home/u/code", "secret WANDB_API_KEY", "network host (loopback and abstract sockets of this machine are
// open to it)".
struct Request {
    std::string line;
    auto operator<=>(const Request&) const = default;
};

// Everything that the project asks for, sorted, sources by their real path (symlinks resolved): repos other
// than the docs repo, urls, mounts, tools, include, agent files, names in env, setup, credentials (the
// agent's login), devices and gpu, network host and what it allows, baking network, triggers. Empty: nothing
// to approve.
std::vector<Request> requests(const Project& project);

// What is asked for and was not approved yet; empty: trusted. Approvals lie in Paths::trust(), outside any
// repo, one file a docs repo and project, by the hash of the canonical list and with the approved lines, so
// that a file that asks for the same or less is not asked about again.
std::vector<Request> unapproved(const Project& project, const base::Paths& paths);
// Approves exactly what it asks for now (former approvals of this project are replaced).
void approve(const Project& project, const base::Paths& paths);
// Error::Kind::no unless trusted: lists what is new and hints `git scad config trust <name>`.
void require_trust(const Project& project, const base::Paths& paths);

} // namespace scad::project
