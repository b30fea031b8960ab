#pragma once

#include "base/fd.h"
#include "base/lock.h"
#include "base/paths.h"

#include <functional>
#include <optional>

namespace scad::session {

// Whoever makes something that will name a tree, an environment or a program holds this from before it looks
// for one until the name is written: nothing that is not named yet is collected meanwhile. Many may hold it.
base::Fd hold_off_gc(const base::Paths& paths);

// The other side: nobody is about to name anything. Without `on_wait` empty when somebody is.
std::optional<base::FileLock> lock_for_gc(const base::Paths& paths, const std::function<void()>& on_wait);

} // namespace scad::session
