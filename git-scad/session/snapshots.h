#pragma once

#include "base/fd.h"
#include "base/loop.h"
#include "base/paths.h"
#include "session/programs.h"
#include "session/session.h"
#include "workspace/snapshot.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace scad::session {

// What a snapshot says, and of the repos that it says nothing good of what was known before: the numbers of
// `before` with the problem of now. `late`: it was ended by its time limit. Pure.
std::vector<workspace::RepoState> merge_states(const std::vector<workspace::RepoState>& before,
                                               std::vector<workspace::RepoState> now,
                                               const std::string& late);

// Takes the snapshots of a live session, one at a time, as a program of its own in the sandbox. Requests that
// come while one is being taken share the next.
class Snapshots {
  public:
    using Done = std::function<void()>;
    struct Host {
        base::Loop& loop;
        Programs& programs;
        const Session& session;
        const base::Paths& paths;
        spdlog::logger& log;
        std::function<void()> begins;
        // Each one as it is done (states by repo; `note`: why none could be taken). Called before the
        // requests' own.
        std::function<void(std::vector<workspace::RepoState> states, const std::string& note)> taken;
        std::function<const std::vector<workspace::RepoState>&()> known; // the states of before
        // The packages of the virtual environment, where there is one; before `taken`.
        std::function<void(std::vector<std::string>)> packages;
    };
    explicit Snapshots(Host host) : host_(std::move(host)) {}

    // A snapshot that begins after this call; `done` when it has been taken, or could not be.
    void request(Done done);
    // `done` once all that was requested so far is there; at once when nothing is pending.
    void when_settled(Done done);
    bool settled() const { return program_ == 0 && !scheduled_ && waiting_.empty(); }

    // For the end of a session: what runs now is given up, none begins until release(), none takes longer
    // than `limit`.
    void hold(std::chrono::milliseconds limit);
    void release();

  private:
    void schedule();
    void begin();
    void take();
    void ended();
    void finish(std::vector<workspace::RepoState> states, const std::string& note);
    std::string missing_tree() const;

    Host host_;
    std::vector<Done> waiting_; // for the next one
    std::vector<Done> current_; // for the one that runs
    std::uint64_t program_ = 0; // 0: none runs
    bool scheduled_ = false;
    bool held_ = false;
    bool given_up_ = false;
    bool late_ = false;
    std::chrono::milliseconds limit_{std::chrono::seconds(120)};
    std::string output_;
    base::Fd pipe_;
    base::Loop::Handle readable_, timer_;
};

} // namespace scad::session
