#pragma once

#include "base/file.h"
#include "session/session.h"
#include "workspace/snapshot.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

enum class JobState { queued, running, waiting, done, failed, cancelled, timeout, lost };
std::string_view job_state_name(JobState state);
std::optional<JobState> job_state_from(std::string_view name);
bool is_final(JobState state);

// jobs/<n>/job.json. Beside it: prompt, output.log (raw stdout and stderr), events.jsonl.
struct Job {
    std::string session;
    std::uint64_t number = 0;
    std::string agent;                    // "claude", "command"
    std::vector<std::string> argv;        // as run inside, without secrets
    std::vector<std::string> environment; // of the agent, without secrets
    std::vector<std::string> path;        // directories inside that come first on PATH (the agent's program)
    std::vector<std::pair<std::string, std::string>>
        files;             // path below the home -> content, written when missing
    std::string directory; // inside
    bool prompt_on_stdin = false;
    std::string reader = "text";
    std::string prompt_name; // of .scad/prompts, "-m", "editor" …
    std::string prompt_line; // first line
    std::string model;
    std::vector<std::string> secret_names;
    std::optional<std::chrono::seconds> time, idle;
    JobState state = JobState::queued;
    std::optional<int> exit_status;                   // 128 + n for a signal
    std::string reason;                               // one line, when it did not end well
    std::int64_t created = 0, started = 0, ended = 0; // Unix seconds; 0: not yet
    std::string conversation;                         // the agent's id
    std::int64_t input_tokens = 0, output_tokens = 0;
    double cost = 0;
    bool saved = false; // the snapshot after it was taken (or could not be: see repos[].problem)
    std::vector<workspace::RepoState> before, after;

    std::filesystem::path directory_on_host; // jobs/<n>; not stored
};

// Writes jobs/<n>/{job.json,prompt} whole and returns it with its number: the next free one; racing callers
// get different ones.
Job create_job(const Session& session, Job job, const std::string& prompt);
Job read_job(const std::filesystem::path& job_directory);
// Plain for what can be told again: that it runs now.
void write_job(const Job& job, base::Durability durability = base::Durability::synced);
// All jobs of a session by number. A job that says `running` or `queued` while the session is not alive reads
// as `lost`.
std::vector<Job> list_jobs(const Session& session, bool alive);

// "alpha:3" or "alpha" (its newest). Pure parsing; empty number: the newest.
struct JobName {
    std::string session;
    std::optional<std::uint64_t> number;
};
JobName parse_job_name(const std::string& text); // Error::usage when malformed

} // namespace scad::session
