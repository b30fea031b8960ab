#include "commands/inject.h"

#include "agent/agent.h"
#include "agent/program.h"
#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/streaming.h"
#include "session/launcher.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

constexpr int interrupted = 130; // as a shell tells an end by SIGINT

struct Options {
    std::string sessions;
    WorkOptions work;
    std::string resume; // "": a new conversation; "last" or a job
    bool detach = false;
};

std::string about(const std::vector<session::Entry>& entries) {
    std::string text = "To ";
    for (const auto& entry : entries) {
        std::vector<std::string> repos;
        for (const auto& repo : entry.session.repos) repos.push_back(repo.name);
        text += fmt::format("{}session {} ({}: {})", &entry == &entries.front() ? "" : ", ",
                            entry.session.name, entry.session.project, base::join(repos, ", "));
    }
    return text;
}

int inject(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    check_work(options.work, invocation);
    const session::Store store(context.paths);
    const auto entries = select_sessions(store, parse_names({options.sessions}));
    for (const auto& entry : entries) {
        if (entry.state == session::State::removing)
            throw fatal("session '{}' is being removed", entry.session.name);
        if (entry.session.repos.empty()) throw fatal("session '{}' is damaged", entry.session.name);
    }
    session::Logins logins(context);
    for (const auto& entry : entries)
        check_agent(context, entry.session.agent, entry.session.login, entry.session.secrets, options.work,
                    invocation.has_words, logins);
    auto work = read_work(options.work, invocation, entries.front().session.docs_repo, about(entries));
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(entry.session.name);
    if (!options.resume.empty()) choose_conversation(options.resume, names, work);
    return inject_into(context, store, entries, work, options.detach, logins);
}

// A command that ended by itself has said how it went; only what was done to it is news.
bool ended_by_itself(const session::Job& job) {
    if (job.state == session::JobState::done) return true;
    return job.state == session::JobState::failed &&
           (job.reason.starts_with("exited with") || job.reason.starts_with("was killed by"));
}

int status_of(const session::Job& job, bool plain) {
    const bool done = job.state == session::JobState::done;
    if (!plain) return done ? 0 : 1;
    const int status = job.exit_status.value_or(done ? 0 : 1);
    return !done && status == 0 ? 1 : status; // ended by a limit, whatever it made of its end
}

} // namespace

void add_work_options(CLI::App& app, WorkOptions& options) {
    add_prompt(app, options.prompt);
    add_option(app, "--agent", "<agent>", options.agent, "claude or command; by default the project's");
    add_option(app, "--model", "<model>", options.model, "the agent's model");
    add_option(app, "--timeout", "<duration>", options.timeout,
               "end the job after that time: 90s, 20m, 1h30m");
    add_option(app, "--idle", "<duration>", options.idle, "end the job after that time without output");
    add_flag(app, "-i,--interactive", options.interactive, "on a terminal (not in this build yet)");
    add_option(app, "--after", "<job>", options.after,
               "start when that job has ended (not in this build yet)");
}

void check_work(const WorkOptions& options, const Invocation& invocation) {
    if (options.interactive)
        throw fatal("-i is not in this build yet: agents run headless")
            .with_hint("leave -i out, and watch by `git scad job logs -f`");
    if (!options.after.empty())
        throw fatal("--after is not in this build yet").with_hint("git scad job wait {}", options.after);
    check_prompt(options.prompt);
    if (!invocation.has_words) return;
    if (invocation.words.empty()) throw usage("a command is missing after '--'");
    check_command(invocation.words);
    if (has_prompt(options.prompt)) throw usage("a prompt and a command after '--' exclude each other");
    if (!options.agent.empty() && options.agent != "command")
        throw usage("--agent {} and a command after '--' exclude each other", options.agent);
    if (!options.model.empty()) throw usage("--model and a command after '--' exclude each other");
}

void check_agent(const base::Context& context, const std::string& agent, const std::string& login,
                 const std::vector<std::string>& variables, const WorkOptions& options, bool plain,
                 session::Logins& logins) {
    const auto name = plain ? "command" : (options.agent.empty() ? agent : options.agent);
    const auto found = agent::find_agent(name);
    const auto caller = context.variables.entries();
    if (!plain && found.program.empty())
        throw usage("agent '{}' wants its command after '--'", name).with_hint("-- make test");
    if (!plain) agent::install_program(found, caller, context.paths.agents());
    agent::secret_names(found, variables, caller);
    logins.find(found, name == agent ? login : "auto");
}

session::InjectOptions read_work(const WorkOptions& options, const Invocation& invocation,
                                 const std::filesystem::path& docs_repo, const std::string& about) {
    session::InjectOptions work;
    if (!options.timeout.empty()) work.time = parse_seconds("--timeout", options.timeout);
    if (!options.idle.empty()) work.idle = parse_seconds("--idle", options.idle);
    work.agent = options.agent;
    work.model = options.model;
    if (invocation.has_words) {
        work.command = invocation.words;
        work.prompt_name = "command";
        return work;
    }
    auto prompt = read_prompt(invocation.context, options.prompt, docs_repo, about);
    work.prompt = std::move(prompt.text);
    work.prompt_name = std::move(prompt.source);
    return work;
}

void choose_conversation(const std::string& resume, const std::vector<std::string>& sessions,
                         session::InjectOptions& options) {
    options.resume = true;
    if (resume == "last") return;
    if (sessions.size() != 1) throw usage("--continue=<job> names a job of one session");
    auto digits = std::string_view(resume);
    const auto prefix = sessions.front() + ":";
    if (digits.starts_with(prefix)) digits.remove_prefix(prefix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || number == 0)
        throw usage("--continue wants a job of session '{}', not '{}'", sessions.front(), resume)
            .with_hint("git scad job list {}", sessions.front());
    options.resume_job = number;
}

int inject_into(const base::Context& context, const session::Store& store,
                const std::vector<session::Entry>& entries, const session::InjectOptions& work, bool detach,
                session::Logins& logins) {
    auto& terminal = context.terminal;
    const bool plain = !work.command.empty();
    // All jobs are made before the first one starts, so that a mistake starts none.
    std::vector<session::Injection> injections;
    injections.reserve(entries.size());
    for (const auto& entry : entries) {
        if (session::ensure_live(context, store, entry.session))
            terminal.note(fmt::format("resumed session '{}', which was {}", entry.session.name,
                                      session::state_name(entry.state)));
    }
    for (const auto& entry : entries)
        injections.push_back(session::prepare_job(context, entry.session, work, logins));

    StreamOptions stream_options;
    stream_options.until_saved = !plain;
    stream_options.interruptible = true;
    JobStream stream(context, stream_options);
    int worst = 0;
    std::size_t started = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        try {
            if (detach)
                start_detached(entries[i].session, injections[i]);
            else
                stream.start(entries[i].session, injections[i]);
        } catch (const Error& error) {
            if (entries.size() == 1) throw;
            terminal.error(base::render_error(error));
            worst = std::max(worst, base::exit_status(error.kind));
            continue;
        }
        ++started;
        const auto name = job_name(injections[i].job);
        if (detach)
            terminal.line(name);
        else
            terminal.detail(fmt::format("job {} started", name));
    }
    if (started == 0) return worst;
    if (detach) {
        terminal.hint(fmt::format("git scad job logs -f {}", job_name(injections.front().job)));
        return worst;
    }
    const auto end = stream.run();
    if (end.detached) return interrupted;
    for (const auto& job : end.jobs) {
        if (!plain || entries.size() > 1 || !ended_by_itself(job)) tell_end(context, job);
        worst = std::max(worst, entries.size() == 1 ? status_of(job, plain)
                                                    : (job.state == session::JobState::done ? 0 : 1));
    }
    return worst;
}

Action set_up_inject(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->sessions, "one or several: alpha,beta or 'loader-*'");
    add_argument(app, "prompt", options->work.prompt.text, "the prompt; without any, the editor opens");
    add_work_options(app, options->work);
    add_optional_value(app, "-c{last},--continue{last}", "<job>", options->resume,
                       "go on with the last conversation, or that of a job");
    add_flag(app, "-d,--detach", options->detach, "do not wait; print the job's name");
    return [options](Invocation& invocation) { return inject(invocation, *options); };
}

} // namespace scad::commands
