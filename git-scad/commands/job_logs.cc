#include "commands/all.h"
#include "commands/job_printer.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/streaming.h"
#include "session/follow.h"

#include <memory>

namespace scad::commands {
namespace {

struct Options {
    std::string job;
    bool follow = false;
    bool raw = false;
};

// What there is now.
void print(const base::Context& context, const session::Job& job, bool raw) {
    context.terminal.start_pager();
    JobPrinter printer(context.terminal, "");
    if (raw || job.agent == "command") {
        session::OutputFollower output(job.directory_on_host);
        for (auto bytes = output.read(); !bytes.empty(); bytes = output.read()) printer.output(bytes);
    } else {
        session::EventFollower events(job.directory_on_host);
        for (auto some = events.read(); !some.empty(); some = events.read()) {
            for (const auto& event : some) printer.event(event);
        }
    }
    printer.end();
}

int logs(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const auto found = find_job(session::Store(context.paths), options.job);
    if (!options.follow || session::is_final(found.job.state)) {
        print(context, found.job, options.raw);
        return 0;
    }
    if (options.raw) throw usage("--raw and --follow exclude each other");
    StreamOptions stream_options;
    stream_options.until_saved = false;
    JobStream stream(context, stream_options);
    stream.follow(found.entry.session, found.job);
    for (const auto& job : stream.run().jobs) tell_end(context, job);
    return 0;
}

} // namespace

Action set_up_job_logs(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "job", options->job, "<session>:<number>, or <session> for its newest");
    add_flag(app, "-f,--follow", options->follow, "go on until the job has ended; Ctrl-C leaves it running");
    add_flag(app, "--raw", options->raw, "the agent's own output instead of what scad made of it");
    return [options](Invocation& invocation) { return logs(invocation, *options); };
}

} // namespace scad::commands
