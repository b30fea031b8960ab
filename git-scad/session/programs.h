#pragma once

#include "base/loop.h"
#include "engine/engine.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace scad::session {

// What becomes of one program in a live sandbox. Each may be empty. `failed` or `ended` is called once, as
// the last.
struct ProgramHandlers {
    std::function<void()> started;
    std::function<void(const std::string& why)> failed; // it could not be started
    std::function<void(int wait_status)> ended;         // and nothing that it started is left
    std::function<void(base::Fd master)> terminal = {}; // before `started`, of one on a terminal
};

// The programs that run in a live sandbox: gives them their ids and tells each one's owner of its events.
class Programs {
  public:
    // `connection`: a job connected to the proxy port. `gone`: the sandbox has ended by itself (says how);
    // every program that was still running got its `ended` with SIGKILL just before.
    Programs(base::Loop& loop, std::unique_ptr<engine::Sandbox> sandbox,
             std::function<void(base::Fd)> connection, std::function<void(const std::string& how)> gone);
    ~Programs();

    // Starts one (its `id` is filled in). Fatal when the sandbox cannot take it.
    std::uint64_t start(engine::JobStart program, ProgramHandlers handlers);
    void signal(std::uint64_t id, int number); // unknown or ended: nothing happens
    void end(std::uint64_t id);                // the same; SIGKILL to all that it started
    bool empty() const { return running_.empty(); }
    bool is_running(std::uint64_t id) const { return running_.contains(id); }
    std::vector<std::uint64_t> ids() const;  // in the order of their start
    pid_t inner_pid(std::uint64_t id) const; // of the program inside; 0: not known yet

    engine::Sandbox& sandbox() { return *sandbox_; }
    // Called with what the sandbox says after freeze(): empty, or why its programs do not stand still.
    void on_frozen(std::function<void(const std::string& problem)> handler) { frozen_ = std::move(handler); }
    bool gone() const { return gone_; }
    const std::string& gone_how() const { return gone_how_; }

  private:
    struct Program {
        ProgramHandlers handlers;
        pid_t pid = 0;
    };
    void take_events();
    void take(engine::SandboxEvent event);
    void lose_all();

    base::Loop& loop_;
    std::unique_ptr<engine::Sandbox> sandbox_;
    std::function<void(base::Fd)> connection_;
    std::function<void(const std::string&)> on_gone_;
    std::function<void(const std::string&)> frozen_;
    std::map<std::uint64_t, Program> running_;
    std::uint64_t next_id_ = 1;
    bool gone_ = false;
    std::string gone_how_;
    base::Loop::Handle events_;
};

} // namespace scad::session
