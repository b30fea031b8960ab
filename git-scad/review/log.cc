#include "review/log.h"

namespace scad::review {

std::vector<std::string> log_arguments(const Range& range, const LogOptions& options) {
    std::vector<std::string> arguments = {"--no-pager",
                                          "log",
                                          "--no-color",
                                          "--no-show-signature",
                                          "--no-ext-diff",
                                          "--no-textconv",
                                          "--format=%h %s (%an, %ar)"};
    if (options.patch) arguments.emplace_back("--patch");
    if (options.stat) arguments.emplace_back("--stat");
    if (options.count) arguments.push_back("--max-count=" + std::to_string(*options.count));
    arguments.insert(arguments.end(), range.tips.begin(), range.tips.end());
    arguments.push_back("^" + range.base);
    arguments.emplace_back("--");
    return arguments;
}

} // namespace scad::review
