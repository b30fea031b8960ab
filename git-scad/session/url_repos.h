#pragma once

#include "base/context.h"
#include "project/project.h"

#include <filesystem>
#include <string>

namespace scad::session {

// The repos that a project names by url. Each url has one bare repo on this machine, for all projects, in
// state/repos: its remote `origin` is the url, whose branches are refs/remotes/origin/*; remotes, refs and
// pins of sessions live in it as in any host repo, and nothing in it is ever collected.

// Where that of a url is, or would be.
std::filesystem::path url_repo_path(const base::Paths& paths, const std::string& url);

// Fetches each of them with the user's own git and credentials, with progress on a terminal, and fills in its
// `path`. One that is there already and cannot be reached is used as it is, with a warning that says how old
// that is. The project is trusted, else it is refused. Fatal: one that is not there yet cannot be fetched.
void fetch_url_repos(const base::Context& context, project::Project& project);

} // namespace scad::session
