#pragma once

#include "base/context.h"
#include "session/session.h"

#include <string>
#include <vector>

namespace scad::session {

// What became of one repo.
struct Updated {
    std::string repo;
    std::string branch;   // the base; empty: the session started at no branch, and nothing was done
    std::string from, to; // origin/<base> inside: before (foreign; empty: it was not there) and now
};

// Moves origin/<base> inside to where that branch of the host repo is now, and what `git fetch origin` inside
// is answered with. No branch and no file of the session changes; the objects are the host's own, pinned
// first. In the session when it is live, else in a throw-away sandbox. Fatal: the host repo or its branch is
// gone, or the session's repo does not take it.
std::vector<Updated> update_session(const base::Context& context, const Session& session);

} // namespace scad::session
