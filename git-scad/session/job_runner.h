#pragma once

#include "base/loop.h"
#include "session/job.h"
#include "session/job_log.h"
#include "session/programs.h"
#include "session/session.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace scad::session {

// Why a job ended.
enum class Cause {
    itself,
    not_started, // its program could not be started
    cancelled,
    time,
    idle,
    memory,
    stopped, // with the session
    lost,    // the sandbox ended under it
};

// How a job came out.
struct Outcome {
    JobState state = JobState::failed;
    std::optional<int> exit_status; // 128 + n for a signal
    std::string reason;             // one line; empty when all is well
    bool operator==(const Outcome&) const = default;
};

// `detail` names the limit, or says why. An agent's verdict decides when the job ended by itself, for agent
// "command" its exit status. Pure.
Outcome decide_outcome(const std::string& agent, Cause cause, const std::string& detail, int wait_status,
                       const agent::Verdict& verdict);

// The environment of a job: the session's, then the job's own, then its secrets; the last value of a name
// counts. Pure.
std::vector<std::string> merge_environment(const std::vector<std::string>& session,
                                           const std::vector<std::string>& job,
                                           const std::map<std::string, std::string>& secrets);

// What writes a file below the home from its standard input, unless something of that name is there. Pure.
std::vector<std::string> home_file_command(const std::string& path);

// What an event changes in the record of its job; true when that should be written at once. Pure.
bool apply_event(Job& job, const agent::Event& event);

// Runs one job in a live sandbox: home files, program, logs, limits, the record in job.json. All on one loop.
class JobRunner {
  public:
    struct Host {
        base::Loop& loop;
        Programs& programs;
        const Session& session;
        spdlog::logger& log;
        std::function<void(std::uint64_t number)> progress; // something new is in its files
        std::function<void(std::uint64_t number)>
            ended; // job.json says how. The runner may be destroyed after the call
    };

    JobRunner(Host host, Job job, std::map<std::string, std::string> secrets);
    ~JobRunner();
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;

    // Never throws: a job that cannot be started has ended, as `failed`.
    void start();
    // SIGTERM, and two seconds later an end to all that it started.
    void cancel();
    // An end at once, without a chance to tidy up.
    void end_now(Cause cause, const std::string& detail);
    // An event of scad's own.
    void note(const agent::Event& event);

    const Job& job() const { return job_; }
    bool has_ended() const { return is_final(job_.state); }
    std::uint64_t program() const { return program_; } // 0: not started yet

  private:
    struct Stream {
        base::Fd fd;
        base::Loop::Handle readable;
    };
    void write_home_files();
    void start_program();
    void take(Stream& stream, bool errors);
    void drain(Stream& stream, bool errors);
    void deliver(std::string_view bytes, bool errors);
    void apply(const std::vector<agent::Event>& events);
    void arm_limits();
    void check_idle();
    void end_softly(Cause cause, std::string detail, std::chrono::milliseconds grace);
    void helper_done();
    void program_failed(const std::string& why);
    void program_ended(int wait_status);
    void finish(int wait_status);
    void record();

    Host host_;
    Job job_;
    std::map<std::string, std::string> secrets_;
    std::unique_ptr<JobLog> log_;
    std::uint64_t program_ = 0;
    std::vector<std::uint64_t> helpers_; // programs that write home files
    Stream out_, err_;
    Cause cause_ = Cause::itself;
    std::string detail_;
    std::chrono::steady_clock::time_point last_output_;
    base::Loop::Handle time_limit_, idle_limit_, grace_;
};

} // namespace scad::session
