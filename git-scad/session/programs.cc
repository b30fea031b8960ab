#include "session/programs.h"

#include "base/error.h"

#include <csignal>
#include <utility>

namespace scad::session {

Programs::Programs(base::Loop& loop, std::unique_ptr<engine::Sandbox> sandbox,
                   std::function<void(base::Fd)> connection, std::function<void(const std::string&)> gone)
    : loop_(loop),
      sandbox_(std::move(sandbox)),
      connection_(std::move(connection)),
      on_gone_(std::move(gone)),
      events_(loop_.on_readable(sandbox_->events_fd(), [this] { take_events(); })) {}

Programs::~Programs() = default;

std::uint64_t Programs::start(engine::JobStart program, ProgramHandlers handlers) {
    if (gone_) throw fatal("the sandbox has ended");
    program.id = next_id_++;
    sandbox_->start_job(program);
    running_[program.id].handlers = std::move(handlers);
    return program.id;
}

void Programs::signal(std::uint64_t id, int number) {
    if (!gone_ && is_running(id)) sandbox_->signal_job(id, number);
}

void Programs::end(std::uint64_t id) {
    if (!gone_ && is_running(id)) sandbox_->end_job(id);
}

std::vector<std::uint64_t> Programs::ids() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, program] : running_) ids.push_back(id);
    return ids;
}

pid_t Programs::inner_pid(std::uint64_t id) const {
    auto found = running_.find(id);
    return found == running_.end() ? 0 : found->second.pid;
}

void Programs::take_events() {
    // A bounded number at a time: a job that makes connections without end must not keep the others waiting.
    for (int count = 0; count < 64 && !gone_; ++count) {
        std::optional<engine::SandboxEvent> event = sandbox_->next_event();
        if (!event) return;
        take(std::move(*event));
    }
    // The engine may hold events that it has read already, of which the descriptor tells nothing.
    if (!gone_) loop_.post([this] { take_events(); });
}

void Programs::take(engine::SandboxEvent event) {
    using Kind = engine::SandboxEvent::Kind;
    if (event.kind == Kind::connection) return connection_(std::move(event.descriptor));
    if (event.kind == Kind::frozen) {
        if (frozen_) frozen_(event.message);
        return;
    }
    if (event.kind == Kind::gone) {
        gone_ = true;
        gone_how_ = event.message;
        events_.reset();
        lose_all();
        return on_gone_(gone_how_);
    }
    auto found = running_.find(event.id);
    if (found == running_.end()) return;
    if (event.kind == Kind::terminal) {
        if (found->second.handlers.terminal) found->second.handlers.terminal(std::move(event.descriptor));
        return;
    }
    if (event.kind == Kind::started) {
        found->second.pid = event.pid;
        if (found->second.handlers.started) found->second.handlers.started();
        return;
    }
    const ProgramHandlers handlers = std::move(found->second.handlers);
    running_.erase(found); // before the call: it may start the next one, or ask whether all have ended
    if (event.kind == Kind::failed && handlers.failed) handlers.failed(event.message);
    if (event.kind == Kind::ended && handlers.ended) handlers.ended(event.wait_status);
}

void Programs::lose_all() {
    while (!running_.empty()) {
        const ProgramHandlers handlers = std::move(running_.begin()->second.handlers);
        running_.erase(running_.begin());
        if (handlers.ended) handlers.ended(SIGKILL);
    }
}

} // namespace scad::session
