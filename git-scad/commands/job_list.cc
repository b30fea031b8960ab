#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

struct Options {
    std::vector<std::string> sessions;
    Format format;
};

std::string time_field(std::int64_t time) { return time > 0 ? std::to_string(time) : ""; }

std::string took(const session::Job& job) {
    if (job.started == 0) return {};
    const auto end = job.ended > 0 ? job.ended : base::unix_now();
    return base::format_duration(std::chrono::seconds(std::max<std::int64_t>(0, end - job.started)));
}

nlohmann::json job_json(const session::Job& job) {
    nlohmann::json value = {{"session", job.session}, {"number", job.number},
                            {"agent", job.agent},     {"state", session::job_state_name(job.state)},
                            {"exit_status", nullptr}, {"reason", job.reason},
                            {"created", job.created}, {"started", job.started},
                            {"ended", job.ended},     {"prompt", job.prompt_line}};
    if (job.exit_status) value["exit_status"] = *job.exit_status;
    return value;
}

int list(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    auto& terminal = context.terminal;
    check_format(options.format);
    const bool porcelain = options.format.porcelain || options.format.nul;
    const session::Store store(context.paths);
    nlohmann::json jobs = nlohmann::json::array();
    base::Table table({{"JOB"}, {"AGENT"}, {"STATE"}, {"STARTED"}, {"TOOK", true}, {"PROMPT", false, true}});
    for (const auto& entry : select_sessions(store, options.sessions)) {
        for (const auto& job : session::list_jobs(entry.session, is_alive(entry.state))) {
            const std::string state(session::job_state_name(job.state));
            if (options.format.json) {
                jobs.push_back(job_json(job));
            } else if (porcelain) {
                terminal.write(
                    base::porcelain_record({job.session, std::to_string(job.number), job.agent, state,
                                            job.exit_status ? std::to_string(*job.exit_status) : "",
                                            time_field(job.started), time_field(job.ended), job.prompt_line},
                                           options.format.nul));
            } else {
                table.add({{job_name(job)},
                           {job.agent},
                           {state, style_of(job.state)},
                           {job.started > 0 ? base::format_age(job.started, base::unix_now()) : ""},
                           {took(job)},
                           {base::one_line(job.prompt_line)}});
            }
        }
    }
    if (options.format.json) {
        terminal.write(base::to_text({{"version", 1}, {"jobs", jobs}}));
    } else if (!porcelain) {
        if (table.empty())
            terminal.note("no jobs; `git scad inject` starts one");
        else
            terminal.write(table.render(terminal, table_width(terminal)));
    }
    return 0;
}

} // namespace

Action set_up_job_list(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "session", options->sessions, Count::any,
                  "only of these: names, prefixes, 'loader-*'");
    add_format(app, options->format);
    return [options](Invocation& invocation) { return list(invocation, *options); };
}

} // namespace scad::commands
