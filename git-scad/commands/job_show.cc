#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/status.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

struct Options {
    std::string job;
    Format format;
};

std::string prompt_of(const session::Job& job) {
    return base::read_if_exists(job.directory_on_host / "prompt").value_or("");
}

nlohmann::json states_json(const std::vector<workspace::RepoState>& states) {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& state : states)
        all.push_back(
            {{"repo", state.repo}, {"branch", state.branch}, {"head", state.head}, {"wip", state.wip}});
    return all;
}

nlohmann::json document(const session::Job& job) {
    nlohmann::json document = {{"version", 1},
                               {"session", job.session},
                               {"number", job.number},
                               {"agent", job.agent},
                               {"model", job.model},
                               {"state", session::job_state_name(job.state)},
                               {"exit_status", nullptr},
                               {"reason", job.reason},
                               {"saved", job.saved},
                               {"created", job.created},
                               {"started", job.started},
                               {"ended", job.ended},
                               {"command", job.argv},
                               {"directory", job.directory},
                               {"prompt_source", job.prompt_name},
                               {"prompt", prompt_of(job)},
                               {"conversation", job.conversation},
                               {"input_tokens", job.input_tokens},
                               {"output_tokens", job.output_tokens},
                               {"cost", job.cost},
                               {"secrets", job.secret_names}};
    if (job.exit_status) document["exit_status"] = *job.exit_status;
    document["before"] = states_json(job.before);
    document["after"] = states_json(job.after);
    return document;
}

void show_repos(base::Terminal& terminal, const session::Job& job) {
    for (const auto& after : job.after) {
        const auto before = std::find_if(job.before.begin(), job.before.end(),
                                         [&](const auto& state) { return state.repo == after.repo; });
        std::string line = "  " + after.repo + ": ";
        if (!after.problem.empty())
            line += "no snapshot: " + after.problem;
        else if (before != job.before.end() && before->head == after.head && before->wip == after.wip)
            line += "unchanged";
        else
            line += fmt::format("{} at {}{}", after.branch.empty() ? "detached HEAD" : after.branch,
                                short_id(after.head), after.wip.empty() ? "" : ", uncommitted work saved");
        if (const auto words = review::not_saved_words(after); after.problem.empty() && !words.empty())
            line += ", not saved: " + words;
        terminal.line(base::one_line(line));
    }
}

void show(base::Terminal& terminal, const session::Job& job) {
    const auto now = base::unix_now();
    const auto row = [&](std::string_view label, std::string_view text) {
        terminal.line(fmt::format("{:<13} {}", std::string(label) + ":", base::one_line(text)));
    };
    row("job", job_name(job));
    std::string state(session::job_state_name(job.state));
    if (job.exit_status) state += fmt::format(", exit status {}", *job.exit_status);
    row("state", state);
    if (!job.reason.empty()) row("reason", job.reason);
    row("agent", job.agent + (job.model.empty() ? "" : ", model " + job.model));
    if (job.started > 0) row("started", base::format_age(job.started, now));
    if (job.ended > 0) row("took", base::format_duration(std::chrono::seconds(job.ended - job.started)));
    if (job.input_tokens + job.output_tokens > 0) {
        auto usage = fmt::format("{} tokens in, {} out", job.input_tokens, job.output_tokens);
        if (job.cost >= 0.005) usage += fmt::format(", ${:.2f}", job.cost);
        row("usage", usage);
    }
    if (!job.conversation.empty()) row("conversation", job.conversation);
    if (!job.secret_names.empty()) row("secrets", base::join(job.secret_names, ", "));
    row("directory", job.directory);
    row("command", base::shell_join(job.argv));
    row("kept in", job.directory_on_host.string());
    if (!job.prompt_name.empty() && job.agent != "command") row("prompt from", job.prompt_name);
    const auto prompt = prompt_of(job);
    if (!prompt.empty())
        terminal.write("\n" + base::visible(prompt, true) + (prompt.ends_with('\n') ? "" : "\n"));
    if (!job.after.empty()) terminal.line("");
    show_repos(terminal, job);
}

} // namespace

Action set_up_job_show(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "job", options->job, "<session>:<number>, or <session> for its newest");
    add_json(app, options->format);
    return [options](Invocation& invocation) {
        const auto& context = invocation.context;
        const auto job = find_job(session::Store(context.paths), options->job).job;
        if (options->format.json)
            context.terminal.write(base::to_text(document(job)));
        else
            show(context.terminal, job);
        return 0;
    };
}

} // namespace scad::commands
