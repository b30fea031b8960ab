#pragma once

#include "review/range.h"

#include <optional>
#include <string>
#include <vector>

namespace scad::review {

struct LogOptions {
    bool patch = false;
    bool stat = false;
    std::optional<std::size_t> count;
};

// Arguments of git on the host repo: the commits of all branches that the base does not have, newest first,
// one line each. Nothing of the user's that would look at foreign content (textconv, external diff, signature
// checks) is started. Pure.
std::vector<std::string> log_arguments(const Range& range, const LogOptions& options);

} // namespace scad::review
