#include "session/job_runner.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "session/plan.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds cancel_grace = 2s;
constexpr std::chrono::milliseconds limit_grace = 5s;
constexpr std::size_t prompt_limit = std::size_t{64} << 20;
constexpr std::size_t longest_name = 200;
constexpr std::int64_t most_tokens = 1'000'000'000'000'000;
constexpr std::size_t read_size = std::size_t{64} << 10;

int shell_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// What an agent tells of itself stands in job.json, which each `status` reads, and is given back to it as an
// argument: it is short, and no option.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name && !text.starts_with('-') &&
           base::visible(text) == text;
}

// So that sums of them fit.
std::int64_t count(std::int64_t told) { return std::clamp<std::int64_t>(told, 0, most_tokens); }

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

} // namespace

Outcome decide_outcome(const std::string& agent, Cause cause, const std::string& detail, int wait_status,
                       const agent::Verdict& verdict) {
    Outcome outcome{JobState::failed, shell_status(wait_status), detail};
    switch (cause) {
        case Cause::itself: {
            const bool ok = agent == "command" ? wait_status == 0 : verdict.ok;
            if (ok) return {JobState::done, outcome.exit_status, {}};
            outcome.reason = agent == "command" || verdict.reason.empty()
                                 ? base::describe_wait_status(wait_status)
                                 : verdict.reason;
            return outcome;
        }
        case Cause::not_started:
            outcome.exit_status = 127; // as a shell tells it
            return outcome;
        case Cause::time:
        case Cause::idle:
            outcome.state = JobState::timeout;
            return outcome;
        case Cause::cancelled:
        case Cause::stopped:
            outcome.state = JobState::cancelled;
            return outcome;
        case Cause::memory:
            return outcome;
        case Cause::lost:
            return {JobState::lost, std::nullopt, detail};
    }
    return outcome;
}

std::vector<std::string> merge_environment(const std::vector<std::string>& session,
                                           const std::vector<std::string>& job,
                                           const std::map<std::string, std::string>& secrets) {
    std::vector<std::string> merged;
    const auto set = [&](const std::string& entry) {
        auto same = std::find_if(merged.begin(), merged.end(),
                                 [&](const std::string& old) { return name_of(old) == name_of(entry); });
        if (same == merged.end()) {
            merged.push_back(entry);
        } else {
            *same = entry;
        }
    };
    for (const std::string& entry : session) set(entry);
    for (const std::string& entry : job) set(entry);
    for (const auto& [name, value] : secrets) set(fmt::format("{}={}", name, value));
    return merged;
}

std::vector<std::string> home_file_command(const std::string& path) {
    return {"/bin/sh", "-c",
            R"(test -e "$1" || test -L "$1" || { mkdir -p "${1%/*}" && exec "$0" write "$1" 0600; })",
            std::string(engine::init_path), "/home/agent/" + path};
}

bool apply_event(Job& job, const agent::Event& event) {
    using Kind = agent::Event::Kind;
    const Job before = job;
    if (is_name(event.conversation)) job.conversation = event.conversation;
    if (is_name(event.model)) job.model = event.model;
    if (event.kind == Kind::usage || event.kind == Kind::result) {
        const std::int64_t input =
            count(event.input_tokens) + count(event.cache_read_tokens) + count(event.cache_write_tokens);
        if (input > 0) job.input_tokens = input;
        if (count(event.output_tokens) > 0) job.output_tokens = count(event.output_tokens);
        if (event.cost > 0) job.cost = event.cost;
    }
    if (event.kind == Kind::waiting && job.state == JobState::running) job.state = JobState::waiting;
    if ((event.kind == Kind::text || event.kind == Kind::tool) && job.state == JobState::waiting) {
        job.state = JobState::running;
    }
    return job.conversation != before.conversation || job.model != before.model || job.state != before.state;
}

JobRunner::JobRunner(Host host, Job job, std::map<std::string, std::string> secrets)
    : host_(std::move(host)), job_(std::move(job)), secrets_(std::move(secrets)) {}

JobRunner::~JobRunner() = default;

void JobRunner::start() {
    job_.state = JobState::running;
    job_.started = base::unix_now();
    try {
        log_ = std::make_unique<JobLog>(job_, secrets_);
        write_home_files();
        if (helpers_.empty()) start_program();
    } catch (const Error& error) {
        program_failed(error.message);
    }
    if (!has_ended()) record(); // while the program starts already
}

void JobRunner::write_home_files() {
    for (const auto& file : job_.files) {
        const std::string path = file.first;
        const base::Fd input = base::make_memory_file("file", file.second);
        engine::JobStart helper;
        helper.argv = home_file_command(path);
        helper.environment = session_environment(host_.session, {});
        helper.directory = "/";
        const base::Fd null = base::open_file("/dev/null", O_RDWR);
        helper.in = input.get();
        helper.out = null.get();
        helper.err = null.get();
        const auto done = [this, path](const std::string& why) {
            if (!why.empty())
                host_.log.warn("job {}: '{}' was not written: {}", job_.number, base::visible(path), why);
            helper_done();
        };
        helpers_.push_back(host_.programs.start(
            helper,
            {{}, done, [done](int status) { done(status == 0 ? "" : base::describe_wait_status(status)); }}));
    }
}

void JobRunner::helper_done() {
    std::erase_if(helpers_, [&](std::uint64_t id) { return !host_.programs.is_running(id); });
    if (!helpers_.empty()) return;
    if (host_.programs.gone()) cause_ = Cause::lost;
    if (cause_ != Cause::itself) return finish(0);
    try {
        start_program();
    } catch (const Error& error) {
        program_failed(error.message);
    }
}

void JobRunner::start_program() {
    base::Fd input = job_.prompt_on_stdin
                         ? base::make_memory_file(
                               "prompt", base::read_file(job_.directory_on_host / "prompt", prompt_limit))
                         : base::open_file("/dev/null", O_RDONLY);
    base::Pipe out = base::make_pipe();
    base::Pipe err = base::make_pipe();
    for (const base::Pipe* pipe : {&out, &err}) {
        if (::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK) != 0)
            throw system_error(errno, "cannot set up a pipe");
    }
    engine::JobStart program;
    program.argv = job_.argv;
    program.environment =
        merge_environment(session_environment(host_.session, job_.path), job_.environment, secrets_);
    program.directory = job_.directory.empty() ? "/work" : job_.directory;
    program.in = input.get();
    program.out = out.write.get();
    program.err = err.write.get();
    program_ = host_.programs.start(program, {{},
                                              [this](const std::string& why) { program_failed(why); },
                                              [this](int wait_status) { program_ended(wait_status); }});
    secrets_.clear(); // they live in the program's environment now
    out_.fd = std::move(out.read);
    err_.fd = std::move(err.read);
    out_.readable = host_.loop.on_readable(out_.fd.get(), [this] { take(out_, false); });
    err_.readable = host_.loop.on_readable(err_.fd.get(), [this] { take(err_, true); });
    arm_limits();
}

void JobRunner::arm_limits() {
    last_output_ = std::chrono::steady_clock::now();
    if (job_.time) {
        time_limit_ = host_.loop.after(*job_.time, [this] {
            end_softly(Cause::time, "time limit of " + base::format_duration(*job_.time) + " exceeded",
                       limit_grace);
        });
    }
    if (job_.idle) idle_limit_ = host_.loop.after(*job_.idle, [this] { check_idle(); });
}

void JobRunner::check_idle() {
    const auto due = last_output_ + *job_.idle;
    const auto now = std::chrono::steady_clock::now();
    if (now < due) {
        idle_limit_ = host_.loop.after(std::chrono::ceil<std::chrono::milliseconds>(due - now),
                                       [this] { check_idle(); });
        return;
    }
    end_softly(Cause::idle,
               "idle limit of " + base::format_duration(*job_.idle) + " exceeded: no output for that long",
               limit_grace);
}

void JobRunner::take(Stream& stream, bool errors) {
    static std::array<char, read_size> buffer; // one thread
    const ssize_t count = ::read(stream.fd.get(), buffer.data(), buffer.size());
    if (count > 0) return deliver(std::string_view(buffer.data(), static_cast<std::size_t>(count)), errors);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    stream.readable.reset();
    stream.fd.reset();
}

// Whoever else got hold of the pipe's other end can keep it open for ever, so its end is not waited for: what
// the job itself wrote is in the pipe by now, and a pipe holds only so much.
void JobRunner::drain(Stream& stream, bool errors) {
    stream.readable.reset();
    if (!stream.fd) return;
    std::string rest(static_cast<std::size_t>(std::max(::fcntl(stream.fd.get(), F_GETPIPE_SZ), 65536)), '\0');
    std::size_t size = 0;
    while (size < rest.size()) {
        const ssize_t count = ::read(stream.fd.get(), rest.data() + size, rest.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    stream.fd.reset();
    deliver(std::string_view(rest).substr(0, size), errors);
}

void JobRunner::deliver(std::string_view bytes, bool errors) {
    if (bytes.empty()) return;
    last_output_ = std::chrono::steady_clock::now();
    if (errors) {
        log_->errors(bytes);
    } else {
        apply(log_->output(bytes));
    }
    host_.progress(job_.number);
}

void JobRunner::apply(const std::vector<agent::Event>& events) {
    bool worth_a_record = false;
    for (const agent::Event& event : events) worth_a_record = apply_event(job_, event) || worth_a_record;
    if (worth_a_record) record();
}

void JobRunner::note(const agent::Event& event) {
    if (!log_) return;
    log_->add(event, base::unix_now());
    host_.progress(job_.number);
}

void JobRunner::cancel() { end_softly(Cause::cancelled, "cancelled", cancel_grace); }

void JobRunner::end_softly(Cause cause, std::string detail, std::chrono::milliseconds grace) {
    if (program_ == 0) return end_now(cause, detail);
    if (cause_ == Cause::itself) {
        cause_ = cause;
        detail_ = std::move(detail);
    }
    host_.programs.signal(program_, SIGTERM);
    grace_ = host_.loop.after(grace, [this] { host_.programs.end(program_); });
}

void JobRunner::end_now(Cause cause, const std::string& detail) {
    if (has_ended()) return;
    if (cause_ == Cause::itself) {
        cause_ = cause;
        detail_ = detail;
    }
    for (const std::uint64_t helper : helpers_) host_.programs.end(helper);
    if (program_ != 0) host_.programs.end(program_);
}

void JobRunner::program_failed(const std::string& why) {
    if (cause_ == Cause::itself) {
        cause_ = Cause::not_started;
        const std::string program = job_.argv.empty() ? "" : job_.argv.front();
        detail_ = base::one_line("cannot run '" + program + "': " + why, 300);
    }
    finish(0);
}

void JobRunner::program_ended(int wait_status) {
    if (host_.programs.gone() && cause_ == Cause::itself) cause_ = Cause::lost;
    finish(wait_status);
}

void JobRunner::finish(int wait_status) {
    time_limit_.reset();
    idle_limit_.reset();
    grace_.reset();
    if (cause_ == Cause::lost && detail_.empty()) {
        detail_ = base::one_line("the sandbox ended: " + host_.programs.gone_how(), 300);
    }
    agent::Verdict verdict;
    try {
        drain(out_, false);
        drain(err_, true);
        std::vector<agent::Event> last;
        if (log_) verdict = log_->finish(wait_status, last);
        for (const agent::Event& event : last) apply_event(job_, event);
    } catch (const std::exception& error) {
        host_.log.error("job {}: its log is not complete: {}", job_.number, error.what());
        verdict.reason = "its log is not complete";
    }
    const Outcome outcome = decide_outcome(job_.agent, cause_, detail_, wait_status, verdict);
    job_.state = outcome.state;
    job_.exit_status =
        program_ == 0 && outcome.state != JobState::failed ? std::nullopt : outcome.exit_status;
    job_.reason = outcome.reason;
    job_.ended = base::unix_now();
    record();
    host_.ended(job_.number);
}

void JobRunner::record() {
    try {
        // Plain: it is written again, and synced, when the snapshot after its end is taken.
        write_job(job_, base::Durability::plain);
    } catch (const Error& error) {
        host_.log.error("job {}: {}", job_.number, error.message);
    }
}

} // namespace scad::session
