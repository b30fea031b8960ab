#include "review/diff.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/git_output.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/limits.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    review::DiffOptions diff;
};

int diff(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto diff = options.diff;
    diff.paths = invocation.words;
    const session::Store store(context.paths);
    std::vector<review::Range> ranges;
    for (const auto& session : sessions_and_trashed(store, parse_names(options.sessions))) {
        for (const auto& repo : session.repos) {
            auto range = review::fetched_range(session, repo, context.variables);
            if (range.tip != range.base || range.wip) ranges.push_back(std::move(range));
        }
    }
    if (ranges.empty()) {
        context.terminal.note("no changes have been fetched");
        context.terminal.hint("git scad code fetch");
        return 0;
    }
    review::limit_this_process();
    context.terminal.start_pager();
    GitOutput output(context, GitOutput::Elsewhere::as_it_is);
    for (const auto& range : ranges) {
        if (range.tip != range.base) {
            output.title(fmt::format("{}/{}: {} since {}", range.session, range.repo, range.branch,
                                     short_id(range.base)));
            output.show(range.host, review::diff_arguments(range, diff));
        }
        if (range.wip) {
            output.title(fmt::format("{}/{}: uncommitted work", range.session, range.repo));
            output.show(range.host, review::uncommitted_arguments(range, diff));
        }
    }
    return 0;
}

} // namespace

Action set_up_code_diff(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::at_least_one,
                  "names, prefixes, 'loader-*'; removed ones too");
    add_flag(app, "--stat", options->diff.stat, "show only how much each file changed");
    add_flag(app, "--name-only", options->diff.name_only, "show only the names of changed files");
    return [options](Invocation& invocation) { return diff(invocation, *options); };
}

} // namespace scad::commands
