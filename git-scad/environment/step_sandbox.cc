#include "environment/step_sandbox.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/text.h"
#include "engine/proxy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace scad::environment {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t program_id = 1;

class StepSandbox {
  public:
    StepSandbox(const engine::Engine& engine, const engine::SandboxSpec& spec,
                const std::vector<std::string>& hosts, const std::function<void(std::string_view)>& output,
                const std::function<void()>& tick)
        : limits_(spec.limits), output_(output), tick_(tick), pipe_(base::make_pipe()) {
        if (spec.network == engine::NetworkMode::allow) {
            proxy_ = std::make_unique<engine::Proxy>(
                loop_, engine::AllowList::parse(hosts),
                [this](const std::string& target, const std::string& reason) {
                    output_(fmt::format("\nnetwork: refused {} ({})\n", base::visible(target),
                                        base::visible(reason)));
                });
        }
        sandbox_ = engine.start(spec);
    }

    StepEnd run(const engine::RunRequest& request) {
        engine::JobStart job;
        job.id = program_id;
        job.argv = request.argv;
        job.environment = request.environment;
        job.directory = request.directory;
        job.out = job.err = pipe_.write.get();
        ::fcntl(pipe_.read.get(), F_SETFL, O_NONBLOCK);
        sandbox_->start_job(job);
        pipe_.write.reset();
        readable_ = loop_.on_readable(pipe_.read.get(), [this] {
            if (!read_some() && errno != EAGAIN) readable_.reset();
        });
        const auto events = loop_.on_readable(sandbox_->events_fd(), [this] { take_events(); });
        const auto ticks = loop_.every(200ms, [this] { tick_(); });
        const auto watch = watch_memory();
        loop_.run();
        while (read_some()) continue;
        proxy_.reset();
        sandbox_->stop(); // what it left can be read now
        return std::move(end_);
    }

  private:
    // False at the end of the output, or when there is none just now.
    bool read_some() {
        std::array<char, 16384> buffer{};
        errno = 0;
        const ssize_t count = ::read(pipe_.read.get(), buffer.data(), buffer.size());
        if (count > 0) output_({buffer.data(), static_cast<std::size_t>(count)});
        return count > 0 || (count < 0 && errno == EINTR);
    }

    void take_events() {
        while (auto event = sandbox_->next_event()) {
            using Kind = engine::SandboxEvent::Kind;
            switch (event->kind) {
                case Kind::connection:
                    if (proxy_) proxy_->accept(std::move(event->descriptor));
                    break;
                case Kind::failed:
                    end_ = {127 << 8, "it could not be started: " + event->message};
                    loop_.stop();
                    break;
                case Kind::ended:
                    end_.wait_status = event->wait_status;
                    loop_.stop();
                    break;
                case Kind::gone:
                    if (end_.reason.empty()) end_ = {SIGKILL, "the sandbox ended: " + event->message};
                    loop_.stop();
                    break;
                case Kind::started:
                case Kind::frozen:
                case Kind::terminal: // no step runs on one, and nobody freezes one
                    break;
            }
        }
    }

    // Where nothing stronger holds the limit.
    base::Loop::Handle watch_memory() {
        const auto& held = sandbox_->limits();
        const bool watched = std::any_of(held.begin(), held.end(), [](const engine::LimitMeans& limit) {
            return limit.name == "memory" && limit.means.starts_with("watch");
        });
        if (!watched || !limits_.memory) return {};
        return loop_.every(500ms, [this] {
            if (!end_.reason.empty() || sandbox_->memory_use() <= *limits_.memory) return;
            end_.reason = fmt::format("it used more than the {} of 'limits.memory'",
                                      base::format_size(*limits_.memory));
            sandbox_->end_job(program_id);
        });
    }

    engine::SandboxLimits limits_;
    const std::function<void(std::string_view)>& output_;
    const std::function<void()>& tick_;
    base::Loop loop_;
    base::Pipe pipe_;
    std::unique_ptr<engine::Proxy> proxy_;
    std::unique_ptr<engine::Sandbox> sandbox_;
    base::Loop::Handle readable_;
    StepEnd end_;
};

} // namespace

StepEnd run_step(const engine::Engine& engine, const engine::SandboxSpec& spec,
                 const engine::RunRequest& request, const std::vector<std::string>& hosts,
                 const std::function<void(std::string_view)>& output, const std::function<void()>& tick) {
    return StepSandbox(engine, spec, hosts, output, tick).run(request);
}

} // namespace scad::environment
