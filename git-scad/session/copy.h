#pragma once

#include "base/paths.h"
#include "engine/transfer/transfer.h"
#include "session/session.h"

#include <string>

namespace scad::session {

// Copies a file or folder out of a session, live or stopped (then through a throw-away sandbox), or into it.
// It is whole under its name, or not there. A path inside that is not absolute starts at /work. Fatal: it
// cannot be, with the reason; text of the session's in it is made visible.

// `destination`: a host folder, or the new name.
transfer::Received copy_out(const Session& session, const base::Paths& paths, const std::string& path,
                            const std::string& destination, std::uint64_t most_bytes,
                            const transfer::Progress& progress);

// `destination`: a folder of the session's, or the new name.
transfer::Totals copy_in(const Session& session, const base::Paths& paths, const std::string& path,
                         const std::string& destination, const transfer::Progress& progress);

} // namespace scad::session
