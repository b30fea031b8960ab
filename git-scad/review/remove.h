#pragma once

#include "base/context.h"
#include "session/session.h"
#include "session/store.h"

#include <string>
#include <vector>

namespace scad::review {

struct RemoveOptions {
    bool force = false; // go on when saving fails
    bool purge = false; // not into the trash: away
};

struct Removal {
    std::vector<std::string> notes; // for a person: what no snapshot holds, what could not be saved
    bool saved = true;              // false: with `force`, although saving failed
};

// Ends a session, saves its work into the host repos and moves it to the trash. Steps, so that a kill after
// any of them leaves what this function, called again, takes up: stop; snapshot, fetch and proof; phase
// "removing" in status.json; remotes away; the rename into the trash. With `purge`, then the directory and
// the pins. Called again for a session that is `removing` it starts at that phase. Fatal when saving fails
// and without `force`.
Removal remove_session(const base::Context& context, const session::Store& store, const session::Entry& entry,
                       const RemoveOptions& options);

// Finishes every removal that was cut short and that nobody is busy with. Returns the names.
std::vector<std::string> finish_removals(const base::Context& context, const session::Store& store);

// Drops what the trash holds of that name for good, and its pins. Fetched refs stay. False: the trash has
// none.
bool purge_trash(const base::Context& context, const session::Store& store, const std::string& name);

// Brings the newest removed session of that name back as a stopped one, with its pins and remotes. Fatal:
// none in the trash, a session of that name is there.
session::Session undelete_session(const base::Context& context, const session::Store& store,
                                  const std::string& name);

} // namespace scad::review
