#pragma once

#include "base/context.h"
#include "session/session.h"
#include "session/store.h"
#include "workspace/snapshot.h"

#include <string>
#include <vector>

namespace scad::review {

// Whether a session may hold uncommitted work that no snapshot has. Pure.
bool needs_snapshot(const session::Entry& entry);

// Takes a snapshot of the uncommitted work in every repo of a session, by its supervisor when it is live,
// else in a throw-away sandbox, and brings its status.json up to date. Returns the state of each repo; one
// whose snapshot failed says so in `problem`. Fatal: the session is damaged, or another command holds it for
// too long.
std::vector<workspace::RepoState> take_snapshot(const base::Context& context, const session::Store& store,
                                                const session::Session& session);

// The work of a session is in the host repos afterwards, proved and synced: snapshot where one is needed,
// fetch, proof. Fatal with what could not be saved. Returns lines for a person: what no snapshot can hold.
std::vector<std::string> save_session(const base::Context& context, const session::Store& store,
                                      const session::Entry& entry);

} // namespace scad::review
