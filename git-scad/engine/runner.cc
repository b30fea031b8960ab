#include "engine/runner.h"

#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <unistd.h>

namespace scad::engine {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kill_limit{10'000}; // for what has been killed to be gone
constexpr std::size_t error_limit = std::size_t{64} << 10;

void wait_readable(int fd, milliseconds limit) {
    pollfd waiting{fd, POLLIN, 0};
    ::poll(&waiting, 1, limit.count() < 0 ? -1 : static_cast<int>(limit.count()));
}

// One sandbox and the jobs in it; shared by the runner and what it started.
struct Throwaway {
    struct Job {
        bool started = false;
        std::optional<std::string> failure;
        std::optional<int> status;
    };
    std::unique_ptr<Sandbox> sandbox; // empty once the runner is gone
    std::string name;
    std::map<std::uint64_t, Job> jobs;
    std::uint64_t last_id = 0;
    std::optional<std::string> end; // of the sandbox, how

    // Takes all events that are there.
    void pump() {
        if (!sandbox) {
            if (!end) end = "its owner has ended it";
            return;
        }
        while (auto event = sandbox->next_event()) {
            if (event->kind == SandboxEvent::Kind::gone) {
                end = event->message;
                continue;
            }
            auto job = jobs.find(event->id);
            if (job == jobs.end()) continue; // nobody waits for it any more
            if (event->kind == SandboxEvent::Kind::started) job->second.started = true;
            if (event->kind == SandboxEvent::Kind::failed) job->second.failure = event->message;
            if (event->kind == SandboxEvent::Kind::ended) job->second.status = event->wait_status;
        }
    }
    Error end_error() const { return fatal("the sandbox '{}' ended: {}", name, end.value_or("unknown")); }
};

class ThrowawayRunning final : public Running {
  public:
    ThrowawayRunning(std::shared_ptr<Throwaway> owner, std::uint64_t id)
        : owner_(std::move(owner)), id_(id) {}
    ~ThrowawayRunning() override {
        if (!result_) ThrowawayRunning::kill();
        owner_->jobs.erase(id_);
    }
    ThrowawayRunning(const ThrowawayRunning&) = delete;
    ThrowawayRunning& operator=(const ThrowawayRunning&) = delete;

    int fd() const override { return owner_->sandbox ? owner_->sandbox->events_fd() : -1; }

    std::optional<RunResult> poll() override {
        if (result_) return result_;
        owner_->pump();
        const auto& job = owner_->jobs[id_];
        if (job.status) return result_ = RunResult{*job.status, timed_out_};
        if (job.failure) return result_ = RunResult{SIGKILL, timed_out_}; // it had not got as far as to run
        if (owner_->end) throw owner_->end_error();
        return std::nullopt;
    }

    RunResult wait(milliseconds limit) override {
        auto end = Clock::now() + limit;
        for (;;) {
            if (auto result = poll()) return *result;
            auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
            if (limit.count() > 0 && left.count() <= 0) {
                if (timed_out_) throw fatal("a program in the sandbox '{}' cannot be killed", owner_->name);
                timed_out_ = true;
                kill();
                end = Clock::now() + kill_limit;
                continue;
            }
            wait_readable(fd(), limit.count() > 0 ? left : milliseconds{-1});
        }
    }

    void kill() override {
        if (owner_->sandbox && !owner_->end) owner_->sandbox->end_job(id_);
    }

  private:
    std::shared_ptr<Throwaway> owner_;
    std::uint64_t id_;
    bool timed_out_ = false;
    std::optional<RunResult> result_;
};

class ThrowawayRunner final : public Runner {
  public:
    ThrowawayRunner(const Engine& engine, const SandboxSpec& spec) : shared_(std::make_shared<Throwaway>()) {
        shared_->sandbox = engine.start(spec);
        shared_->name = spec.name;
    }
    ~ThrowawayRunner() override {
        try {
            shared_->sandbox->stop(); // with its overlays: who made it goes on with what it left
        } catch (const Error&) {
            // Its destructor is all that is left to try.
        }
        shared_->sandbox.reset();
    }
    ThrowawayRunner(const ThrowawayRunner&) = delete;
    ThrowawayRunner& operator=(const ThrowawayRunner&) = delete;

    std::unique_ptr<Running> start(const RunRequest& request) override {
        JobStart job;
        job.id = ++shared_->last_id;
        job.argv = request.argv;
        job.environment = request.environment;
        job.directory = request.directory;
        job.in = request.in;
        job.out = request.out;
        job.err = request.err;
        Throwaway::Job& state = shared_->jobs[job.id];
        auto running = std::make_unique<ThrowawayRunning>(shared_, job.id);
        shared_->sandbox->start_job(job);
        for (;;) {
            shared_->pump();
            if (state.failure)
                throw fatal("cannot run '{}' in the sandbox '{}': {}", request.argv.front(), shared_->name,
                            *state.failure);
            if (state.started) return running;
            if (shared_->end) throw shared_->end_error();
            wait_readable(shared_->sandbox->events_fd(), milliseconds{-1});
        }
    }

  private:
    std::shared_ptr<Throwaway> shared_;
};

// One captured stream; what is over `limit` is thrown away.
struct Capture {
    base::Fd fd;
    std::string text;
    std::size_t limit = 0;
    bool over = false;

    void drain() {
        char buffer[65536];
        while (fd) {
            ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) {
                fd.reset();
                return;
            }
            std::size_t room = limit - text.size();
            text.append(buffer, std::min(static_cast<std::size_t>(n), room));
            over = over || static_cast<std::size_t>(n) > room;
        }
    }
};

} // namespace

std::unique_ptr<Runner> make_throwaway(const Engine& engine, const SandboxSpec& spec) {
    return std::make_unique<ThrowawayRunner>(engine, spec);
}

Output run_captured(Runner& runner, RunRequest request, std::string input, milliseconds limit,
                    std::size_t output_limit) {
    Capture out;
    Capture err;
    out.limit = output_limit;
    err.limit = error_limit;
    base::Fd source;
    if (!input.empty()) {
        source = base::make_memory_file("input", input);
        input.clear(); // it may be large, and lives there now
        request.in = source.get();
    }
    base::Pipe out_pipe = base::make_pipe();
    base::Pipe err_pipe = base::make_pipe();
    for (base::Pipe* pipe : {&out_pipe, &err_pipe}) ::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
    request.out = out_pipe.write.get();
    request.err = err_pipe.write.get();
    auto running = runner.start(request);
    out_pipe.write.reset();
    err_pipe.write.reset();
    out.fd = std::move(out_pipe.read);
    err.fd = std::move(err_pipe.read);

    Output output;
    auto end = Clock::now() + limit;
    std::string verdict;
    std::optional<RunResult> result;
    while (!result) {
        auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        bool late = (limit.count() > 0 || !verdict.empty()) && left.count() <= 0;
        if (late && !verdict.empty()) throw fatal("'{}' cannot be killed", request.argv.front());
        if (late) verdict = "it took longer than its time limit";
        if (verdict.empty() && out.over) verdict = fmt::format("it wrote more than {} bytes", output_limit);
        if (!verdict.empty() && !output.result.timed_out) {
            output.result.timed_out = true;
            running->kill();
            end = Clock::now() + kill_limit;
            left = kill_limit;
        }
        pollfd waiting[] = {{out.fd.get(), POLLIN, 0}, {err.fd.get(), POLLIN, 0}, {running->fd(), POLLIN, 0}};
        bool limited = limit.count() > 0 || !verdict.empty();
        ::poll(waiting, 3, limited ? static_cast<int>(left.count()) : -1);
        out.drain();
        err.drain();
        result = running->poll();
    }
    out.drain(); // all that it started is gone: everything is in the pipes
    err.drain();
    if (out.over && verdict.empty()) {
        verdict = fmt::format("it wrote more than {} bytes", output_limit);
        output.result.timed_out = true;
    }
    output.result.wait_status = result->wait_status;
    output.result.timed_out = output.result.timed_out || result->timed_out;
    output.out = std::move(out.text);
    output.err = std::move(err.text);
    if (!verdict.empty()) output.err += verdict + "\n";
    return output;
}

} // namespace scad::engine
