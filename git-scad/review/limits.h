#pragma once

namespace scad::review {

// Bounds what this process and everything that it starts from now on may use: content that comes from a
// session can be made to take git for ever (setrlimit(2): RLIMIT_DATA 4 GiB, RLIMIT_CPU ten minutes each).
// For commands that look at such content and do nothing else afterwards.
void limit_this_process();

} // namespace scad::review
