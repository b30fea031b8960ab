#pragma once

#include "base/context.h"
#include "project/project.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace scad::project {

// One thing that a project asks of the host beyond its own docs repo. `line` is canonical (the same request,
// the same text) and what a person reads: "mount /data/imagenet read-write from /home/u/x", "repo code at
// /home/u/code", "secret WANDB_API_KEY", "memory without limit". It may hold foreign text: to be made visible
// before it is printed.
struct Request {
    std::string line;
    bool approved = false;
    bool operator==(const Request&) const = default;
    bool operator<(const Request& other) const { return line < other.line; }
};

// What the project asks for now, sorted, each request with whether it was approved: repos other than the docs
// repo, urls, mounts, tools, include, the agent and its files, names in env, setup, credentials (the agent's
// login), devices and gpu, hosts, baking network, triggers, what the files ask for that the project names
// (requirement files, agents, devcontainers), and limits as far as they were raised or dropped. Sources stand
// by their real path.
//
// Approvals lie in Paths::trust(), outside any repo, one file a docs repo and project, by the hash of the
// canonical list and with the approved lines: so a file that asks for the same or less is not asked about
// again, and of one that asks for more only what is new.
class TrustCheck {
  public:
    TrustCheck(const Project& project, const base::Context& context);

    const std::vector<Request>& requests() const { return requests_; }
    std::vector<std::string> unapproved() const;      // the lines; empty: trusted
    bool asks_again() const { return asked_before_; } // something of this project was approved before

    // Approves exactly what requests() told, and nothing that changed since. Former approvals of this project
    // are replaced.
    void approve() const;

  private:
    std::filesystem::path file_;
    std::string docs_repo_, name_;
    Limits limits_;
    std::vector<std::string> wanted_; // the canonical list
    std::vector<Request> requests_;
    bool asked_before_ = false;
};

// Error::Kind::no unless trusted: lists what is new and hints `git scad config trust <name>`.
void require_trust(const Project& project, const base::Context& context);
// The error of it, for who has asked already.
Error not_trusted(const std::string& name, const std::vector<std::string>& unapproved);

// An approval as it is kept.
struct Approval {
    std::filesystem::path file; // where
    std::string docs_repo, project;
    std::int64_t time = 0;             // Unix seconds
    std::vector<std::string> requests; // the lines
};

// All approvals, by project and docs repo. One that cannot be read is left out.
std::vector<Approval> approvals(const base::Paths& paths);
// What it allowed is asked for again; sessions that run keep what they have.
void revoke(const Approval& approval);

} // namespace scad::project
