#pragma once

#include "base/context.h"
#include "review/remove.h"

namespace scad::commands {

// Removes a session and says on stderr what became of it. The exit status: 1 when it went unsaved (with
// force).
int remove_and_tell(const base::Context& context, const session::Store& store, const session::Entry& entry,
                    const review::RemoveOptions& options);

} // namespace scad::commands
