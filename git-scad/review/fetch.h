#pragma once

#include "base/context.h"
#include "session/session.h"

#include <map>
#include <string>
#include <vector>

namespace scad::review {

struct Fetched {
    std::string session, repo;
    bool ok = false;
    std::string output; // git's own words and the helper's, safe to print
};

// `git fetch` from these sessions' repos into their host repos: explicit refspecs (branches, snapshots, what
// the session let go), no FETCH_HEAD, no tags, core.fsync=all, maintenance once at the end. Host repos side
// by side, the fetches of one repo one after another. Goes through git-remote-scad as a plain fetch does. One
// that fails does not stop the others. In the order of sessions and repos.
std::vector<Fetched> fetch_sessions(const std::vector<session::Session>& sessions,
                                    const base::Context& context);

// What the host must have of a session: ref of the host -> object id, for each ref of the session's
// quarantine ("refs/session/x", "refs/scad/wip", "refs/session-lost/1/x"). Pure.
std::map<std::string, std::string> expected_refs(const std::string& session,
                                                 const std::map<std::string, std::string>& quarantine);

// Whether everything that the session's quarantines hold stands in the host repos, which are then synced to
// disk. Fatal otherwise, with what is missing.
void require_saved(const session::Session& session, const base::Context& context);

// The same, whatever names it has there by now: for a session that was removed, and whose refs may have been
// merged and pruned since.
void require_objects_saved(const session::Session& session, const base::Context& context);

} // namespace scad::review
