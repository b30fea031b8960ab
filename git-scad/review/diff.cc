#include "review/diff.h"

namespace scad::review {
namespace {

std::vector<std::string> arguments_for(std::vector<std::string> revisions, const DiffOptions& options) {
    std::vector<std::string> arguments = {"--no-pager", "diff", "--no-color", "--no-ext-diff",
                                          "--no-textconv"};
    if (options.stat) arguments.emplace_back("--stat");
    if (options.name_only) arguments.emplace_back("--name-only");
    arguments.insert(arguments.end(), revisions.begin(), revisions.end());
    arguments.emplace_back("--");
    arguments.insert(arguments.end(), options.paths.begin(), options.paths.end());
    return arguments;
}

} // namespace

std::vector<std::string> diff_arguments(const Range& range, const DiffOptions& options) {
    return arguments_for({range.base + "..." + range.tip}, options);
}

std::vector<std::string> uncommitted_arguments(const Range& range, const DiffOptions& options) {
    // The first parent of a snapshot is the commit that was checked out.
    const auto wip = range.wip.value_or(range.tip);
    return arguments_for({wip + "^1", wip}, options);
}

} // namespace scad::review
