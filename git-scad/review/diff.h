#pragma once

#include "review/range.h"

#include <string>
#include <vector>

namespace scad::review {

struct DiffOptions {
    bool stat = false;
    bool name_only = false;
    std::vector<std::string> paths;
};

// Arguments of git on the host repo: what the work branch changed since it left the base (three dots), and
// what was not committed on top of it. Nothing of the user's that would look at foreign content (textconv,
// external diff) is started. Pure.
std::vector<std::string> diff_arguments(const Range& range, const DiffOptions& options);
std::vector<std::string> uncommitted_arguments(const Range& range,
                                               const DiffOptions& options); // needs range.wip

} // namespace scad::review
