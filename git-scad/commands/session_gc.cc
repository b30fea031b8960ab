#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "review/gc.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

struct Options {
    bool dry_run = false;
    bool automatic = false;
};

int collect(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto& terminal = context.terminal;
    const session::Store store(context.paths);
    const auto report = review::collect_garbage(context, store, {options.dry_run, !options.automatic});
    for (const auto& one : report.collected)
        terminal.line(fmt::format("{} {}{}", options.dry_run ? "would drop" : "dropped",
                                  base::visible(one.what),
                                  one.bytes > 0 ? ", " + base::format_size(one.bytes) : ""));
    for (const auto& one : report.kept) terminal.warning("kept " + base::visible(one));
    if (report.collected.empty())
        terminal.note("nothing to drop");
    else
        terminal.note(fmt::format("{} {}", options.dry_run ? "this would free" : "freed",
                                  base::format_size(report.bytes())));
    return 0;
}

} // namespace

Action set_up_session_gc(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_flag(app, "--dry-run", options->dry_run, "only say what would be dropped");
    add_flag(app, "--auto", options->automatic, "do not wait for commands that make sessions");
    return [options](Invocation& invocation) { return collect(invocation, *options); };
}

} // namespace scad::commands
