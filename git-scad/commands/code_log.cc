#include "review/log.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/git_output.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/diff.h"
#include "review/limits.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

constexpr std::size_t most_commits = 1'000'000;

struct Options {
    std::vector<std::string> sessions;
    bool patch = false;
    bool stat = false;
    std::optional<std::string> count;
};

void show(const base::Context& context, GitOutput& output, const review::Range& range,
          const review::LogOptions& options) {
    output.title(
        fmt::format("{}/{}: {} since {}", range.session, range.repo, range.branch, short_id(range.base)));
    bool any = output.show(range.host, review::log_arguments(range, options));
    if (range.wip) {
        if (any && (options.stat || options.patch)) context.terminal.line("");
        context.terminal.line(context.terminal.style(base::Style::yellow, "uncommitted work"));
        review::DiffOptions diff;
        diff.stat = !options.patch;
        output.show(range.host, review::uncommitted_arguments(range, diff));
        any = true;
    }
    if (!any) context.terminal.line("nothing");
}

int log(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    review::LogOptions log{options.patch, options.stat, {}};
    if (options.count) log.count = parse_count("-n", *options.count, most_commits);
    const session::Store store(context.paths);
    std::vector<review::Range> ranges;
    for (const auto& session : sessions_and_trashed(store, parse_names(options.sessions))) {
        for (const auto& repo : session.repos)
            ranges.push_back(review::fetched_range(session, repo, context.variables));
    }
    review::limit_this_process();
    context.terminal.start_pager();
    GitOutput output(context, GitOutput::Elsewhere::safe);
    for (const auto& range : ranges) show(context, output, range, log);
    return 0;
}

} // namespace

Action set_up_code_log(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::at_least_one,
                  "names, prefixes, 'loader-*'; removed ones too");
    add_flag(app, "-p,--patch", options->patch, "show the changes of each commit");
    add_flag(app, "--stat", options->stat, "show which files each commit changes");
    add_option(app, "-n,--max-count", "<n>", options->count, "at most this many commits of each repo");
    return [options](Invocation& invocation) { return log(invocation, *options); };
}

} // namespace scad::commands
