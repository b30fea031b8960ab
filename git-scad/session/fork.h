#pragma once

#include "base/context.h"
#include "session/creation.h"
#include "session/session.h"
#include "session/store.h"

#include <cstddef>
#include <string>
#include <vector>

namespace scad::session {

// New sessions from exactly the point where `source` stands: everything that it wrote (commits, index, stash,
// uncommitted, untracked and ignored files, home, /tmp) and the records of its jobs, so that each goes on
// with its conversation. A live one is frozen while it is copied; nothing of it changes. Each copy is a
// session of its own, started, with its own remote and a work branch named for it. `count` copies are made of
// the same moment. A kill at any point leaves what the next command sweeps. Fatal: the source is damaged,
// being removed, or cannot be copied whole; the new name is not free.
std::vector<Session> fork_session(const base::Context& context, const Store& store, const Session& source,
                                  const WantedName& name, std::size_t count);

} // namespace scad::session
