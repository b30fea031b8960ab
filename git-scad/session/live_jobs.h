#pragma once

#include "base/loop.h"
#include "session/job_runner.h"
#include "session/peers.h"
#include "session/programs.h"
#include "session/protocol.h"
#include "session/session.h"
#include "session/snapshots.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace scad::session {

// The jobs of a live session: starts them, tells their followers of them, and has a snapshot taken after
// each.
class LiveJobs {
  public:
    struct Host {
        base::Loop& loop;
        Programs& programs;
        Snapshots& snapshots;
        Peers& peers;
        const Session& session;
        const Status& status; // with the repos as the newest snapshot found them
        spdlog::logger& log;
        std::function<void()> ended; // one of them; it is gone from here in the loop's next round
    };
    explicit LiveJobs(Host host) : host_(std::move(host)) {}

    // Jobs that ended with an earlier supervisor, before a snapshot could be taken: one covers them now.
    void catch_up();

    // The requests of that name. Fatal: no such job, one that was started before.
    void start(Peers::Id peer, const Request& request);
    void follow(Peers::Id peer, std::uint64_t number);
    void cancel(Peers::Id peer, std::uint64_t number);

    // An event of scad's own, to all that run.
    void note(const agent::Event& event);
    // True when this program is one of them: it is ended.
    bool end(std::uint64_t program, Cause cause, const std::string& why);
    void end_all(Cause cause, const std::string& why);
    // No snapshot by itself from here on; settle_all() asks for one that covers all that ended.
    void hold() { held_ = true; }
    void settle_all();
    // The very end: what still runs has this state, and all is written.
    void close(JobState state, const std::string& reason);

    bool empty() const { return running_.empty(); }

  private:
    std::filesystem::path directory(std::uint64_t number) const;
    Job on_disk(std::uint64_t number) const;
    std::vector<workspace::RepoState> state_before(std::uint64_t number) const;
    void on_progress(std::uint64_t number);
    void on_end(std::uint64_t number);
    void send_ticks();
    void settle(std::uint64_t number);
    void tell_ended(Peers::Id peer, const Job& job);
    void tell_saved(Peers::Id peer, std::uint64_t number);
    bool write(const Job& job); // false: it could not be

    Host host_;
    std::map<std::uint64_t, std::unique_ptr<JobRunner>> running_;
    std::map<std::uint64_t, Job> ended_; // those that no snapshot covers yet
    std::set<std::uint64_t> news_;       // of which followers were not told yet
    base::Loop::Handle tick_;
    bool held_ = false;
};

} // namespace scad::session
