#include "commands/streaming.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "commands/job_printer.h"
#include "commands/sessions.h"
#include "review/status.h"
#include "review/summary.h"
#include "session/client.h"
#include "session/follow.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <utility>

namespace scad::commands {
namespace {

constexpr int pieces_at_a_tick = 16;
constexpr int to_the_end = -1;
constexpr std::chrono::seconds second_interrupt{2};
constexpr std::chrono::milliseconds same_key{100};
constexpr std::array prefix_styles = {base::Style::cyan, base::Style::green, base::Style::yellow,
                                      base::Style::blue};

session::Request start_request(const session::Injection& injection, bool follow) {
    session::Request request;
    request.kind = session::Request::Kind::start_job;
    request.number = injection.job.number;
    request.follow = follow;
    request.secrets = injection.secrets;
    return request;
}

// The job as it is on disk; one that says that it runs is lost when its session is.
session::Job reread(const base::Context& context, const session::Session& session, std::uint64_t number) {
    const bool alive = session::Store(context.paths).state_of(session) == session::State::live;
    for (auto& job : session::list_jobs(session, alive)) {
        if (job.number == number) return job;
    }
    throw fatal("job {}:{} is gone", session.name, number);
}

} // namespace

struct JobStream::Implementation {
    struct Followed {
        Followed(session::Session the_session, session::Job the_job, session::Client the_client)
            : session(std::move(the_session)),
              job(std::move(the_job)),
              client(std::move(the_client)),
              events(job.directory_on_host),
              output(job.directory_on_host) {}

        session::Session session;
        session::Job job;
        session::Client client;
        session::EventFollower events;
        session::OutputFollower output;
        std::unique_ptr<JobPrinter> printer;
        base::Loop::Handle readable;
        bool over = false;
        bool has_turn = false; // the next pieces are printed soon
    };

    Implementation(const base::Context& the_context, StreamOptions the_options)
        : context(the_context), options(the_options) {}

    const base::Context& context;
    StreamOptions options;
    std::vector<std::unique_ptr<Followed>> followed;
    base::Loop loop;
    base::Loop::Handle signals, detach_timer;
    bool detached = false;
    bool cancelled = false;
    std::chrono::steady_clock::time_point last_interrupt{};

    // While it runs only so many pieces at a time: a job that writes without pause must not keep Ctrl-C from
    // being seen. True: there may be more.
    bool print_news(Followed& job, int pieces) {
        if (!job.printer) return false;
        if (job.job.agent == "command") {
            for (auto bytes = job.output.read(); !bytes.empty(); bytes = job.output.read()) {
                job.printer->output(bytes);
                if (--pieces == 0) return true;
            }
            return false;
        }
        for (auto events = job.events.read(); !events.empty(); events = job.events.read()) {
            for (const auto& event : events) job.printer->event(event);
            if (--pieces == 0) return true;
        }
        return false;
    }

    // All that there is, in turns with what else comes in.
    void print_in_turns(Followed& job) {
        if (job.over || job.has_turn || !print_news(job, pieces_at_a_tick)) return;
        job.has_turn = true;
        loop.post([this, &job] {
            job.has_turn = false;
            print_in_turns(job);
        });
    }

    void end(Followed& job) {
        if (job.over) return;
        job.over = true;
        job.readable.reset();
        context.terminal.progress("");
        print_news(job, to_the_end);
        if (job.printer) job.printer->end();
        if (std::all_of(followed.begin(), followed.end(), [](const auto& each) { return each->over; }))
            loop.stop();
    }

    void take_reply(Followed& job) {
        std::optional<session::Reply> reply;
        try {
            reply = job.client.receive(std::chrono::milliseconds{0});
        } catch (const Error& error) {
            // The session ended under it, or a cancel came too late; what is on disk tells the rest.
            context.terminal.detail(base::visible(error.message));
            const auto now = reread(context, job.session, job.job.number);
            if (session::is_final(now.state)) end(job);
            return;
        }
        if (!reply) return;
        using Kind = session::Reply::Kind;
        if (reply->kind == Kind::tick) {
            print_in_turns(job);
        } else if (reply->kind == Kind::saved) {
            end(job);
        } else if (reply->kind == Kind::ended) {
            print_news(job, to_the_end);
            if (!options.until_saved) return end(job);
            context.terminal.progress(
                fmt::format("{}:{} has ended, saving its work", job.session.name, job.job.number));
        }
    }

    void cancel_all() {
        cancelled = true;
        detach_timer.reset();
        context.terminal.note(followed.size() == 1 ? "cancelling the job" : "cancelling the jobs");
        for (const auto& job : followed) {
            if (job->over) continue;
            session::Request request;
            request.kind = session::Request::Kind::cancel;
            request.number = job->job.number;
            try {
                job->client.send(request);
            } catch (const Error&) { // it has ended: its reply comes
            }
        }
    }

    void interrupt() {
        // git passes on what it gets from the terminal, and the terminal gives it to all: one key, two
        // signals.
        const auto now = std::chrono::steady_clock::now();
        if (now - std::exchange(last_interrupt, now) < same_key) return;
        if (cancelled) { // a third one: the person wants out, whatever the jobs do
            detached = true;
            return loop.stop();
        }
        if (!context.terminal.err_is_terminal() || detach_timer) return cancel_all();
        std::vector<std::string> names;
        for (const auto& job : followed) {
            if (!job->over) names.push_back(job_name(job->job));
        }
        context.terminal.note(fmt::format("\ndetached; {} in the background (`git scad job logs -f {}`)",
                                          names.size() == 1 ? "the job goes on" : "the jobs go on",
                                          names.empty() ? "" : names.front()));
        context.terminal.note("Ctrl-C again within two seconds cancels");
        detach_timer = loop.after(second_interrupt, [this] {
            detached = true;
            loop.stop();
        });
    }

    StreamEnd run() {
        // Before anything is shown: whoever sees it may answer with Ctrl-C.
        if (options.interruptible) signals = loop.on_signals({SIGINT}, [this](int) { interrupt(); });
        std::size_t widest = 0;
        for (const auto& job : followed) widest = std::max(widest, base::display_width(job_name(job->job)));
        for (std::size_t i = 0; i < followed.size(); ++i) {
            auto& job = *followed[i];
            if (options.print) {
                std::string prefix;
                if (followed.size() > 1)
                    prefix = context.terminal.style(prefix_styles[i % prefix_styles.size()],
                                                    fmt::format("{:<{}} │ ", job_name(job.job), widest));
                job.printer = std::make_unique<JobPrinter>(context.terminal, std::move(prefix));
            }
            job.readable = loop.on_readable(job.client.fd(), [this, &job] { take_reply(job); });
            print_in_turns(job); // what there is already: a job that says nothing more sends no tick
        }
        if (!followed.empty()) loop.run();
        StreamEnd result;
        result.detached = detached;
        for (const auto& job : followed)
            result.jobs.push_back(reread(context, job->session, job->job.number));
        return result;
    }
};

JobStream::JobStream(const base::Context& context, StreamOptions options)
    : implementation_(std::make_unique<Implementation>(context, options)) {}
JobStream::~JobStream() = default;

void JobStream::start(const session::Session& session, const session::Injection& injection) {
    auto client = session::Client::require(session);
    client.send(start_request(injection, true));
    client.receive(); // `ok`, or fatal with the supervisor's words
    implementation_->followed.push_back(
        std::make_unique<Implementation::Followed>(session, injection.job, std::move(client)));
}

void JobStream::follow(const session::Session& session, const session::Job& job) {
    auto client = session::Client::require(session);
    session::Request request;
    request.kind = session::Request::Kind::follow;
    request.number = job.number;
    client.send(request);
    client.receive();
    implementation_->followed.push_back(
        std::make_unique<Implementation::Followed>(session, job, std::move(client)));
}

StreamEnd JobStream::run() { return implementation_->run(); }

void start_detached(const session::Session& session, const session::Injection& injection) {
    auto client = session::Client::require(session);
    client.send(start_request(injection, false));
    client.receive();
}

void tell_end(const base::Context& context, const session::Job& job) {
    auto& terminal = context.terminal;
    const auto line = job.session + ":" + review::job_line(job);
    if (!session::is_final(job.state) || job.state == session::JobState::done)
        terminal.note(line);
    else
        terminal.error("error: " + line + "\n");
    for (const auto& state : job.after) {
        if (!state.problem.empty())
            terminal.warning(base::one_line(fmt::format("{}/{}: no snapshot of uncommitted work: {}",
                                                        job.session, state.repo, state.problem)));
    }
}

} // namespace scad::commands
