#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/streaming.h"
#include "commands/wait.h"
#include "session/client.h"

#include <algorithm>
#include <memory>

namespace scad::commands {

std::vector<session::Job> wait_for(const base::Context& context,
                                   const std::vector<std::pair<session::Session, session::Job>>& jobs) {
    StreamOptions options;
    options.print = false;
    JobStream stream(context, options);
    std::vector<session::Job> ended;
    for (const auto& [session, job] : jobs) {
        // What has ended in a session that is no longer live will not be saved by anyone.
        const bool over = session::is_final(job.state) && (job.saved || !session::Client::connect(session));
        if (over)
            ended.push_back(job);
        else
            stream.follow(session, job);
    }
    for (auto& job : stream.run().jobs) ended.push_back(std::move(job));
    return ended;
}

Action set_up_job_wait(CLI::App& app) {
    auto names = std::make_shared<std::vector<std::string>>();
    add_arguments(app, "job", *names, Count::at_least_one, "<session>:<number>, or <session> for its newest");
    return [names](Invocation& invocation) {
        const auto& context = invocation.context;
        const session::Store store(context.paths);
        std::vector<std::pair<session::Session, session::Job>> jobs;
        int worst = for_each_name(context, parse_names(*names), [&](const std::string& name) {
            auto found = find_job(store, name);
            jobs.emplace_back(std::move(found.entry.session), std::move(found.job));
            return 0;
        });
        for (const auto& job : wait_for(context, jobs)) {
            tell_end(context, job);
            if (job.state != session::JobState::done) worst = std::max(worst, 1);
        }
        return worst;
    };
}

} // namespace scad::commands
