#pragma once

#include "base/context.h"
#include "base/file.h"
#include "base/lock.h"
#include "session/session.h"
#include "session/store.h"

#include <string>

// What every way to make a session has in common: its name first, and its last steps.
namespace scad::session {

struct WantedName {
    std::string name; // empty: generated
    std::string stem; // of a generated name
};

// Gives the session its name and takes the lock of it. The name is free then, also of what an earlier session
// left in the host repos of session.repos (of which neither branch nor tree are looked at), and means nothing
// else there; what the user should know of that is said. Fatal: in use, in the trash, or with refs left of an
// earlier session (`git scad code prune <name>`).
base::FileLock take_name(const base::Context& context, const Store& store, Session& session,
                         const WantedName& wanted);

// The work branch of a session that has its name: session.branch filled in.
std::string work_branch(const Session& session);

// A whole session comes to life: pins, the rename of its directory, supervisor ready, remotes and refs last.
// When that fails all of it is taken back. The caller holds the name's lock.
void bring_up(const base::Context& context, Session& session, base::WholeDirectory& directory);

} // namespace scad::session
