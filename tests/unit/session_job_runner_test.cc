// How jobs come out, what they are given, what their events change in their record; which of them uses the
// memory.
#include "session/job_runner.h"

#include "session/memory_watch.h"
#include "session/snapshots.h"

#include <catch2/catch.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace scad::session;
using scad::agent::Event;
using scad::agent::Verdict;

TEST_CASE("a job that ends by itself", "[job_runner]") {
    const Verdict good{true, ""};
    const Verdict bad{false, "API error: 529 overloaded"};
    CHECK(decide_outcome("claude", Cause::itself, "", 0, good) == Outcome{JobState::done, 0, ""});
    CHECK(decide_outcome("claude", Cause::itself, "", 0, bad) == Outcome{JobState::failed, 0, bad.reason});
    CHECK(decide_outcome("claude", Cause::itself, "", 1 << 8, {}) ==
          Outcome{JobState::failed, 1, "exited with status 1"});
    CHECK(decide_outcome("command", Cause::itself, "", 0, bad) == Outcome{JobState::done, 0, ""});
    CHECK(decide_outcome("command", Cause::itself, "", 3 << 8, good) ==
          Outcome{JobState::failed, 3, "exited with status 3"});
    CHECK(decide_outcome("command", Cause::itself, "", SIGSEGV, good) ==
          Outcome{JobState::failed, 139, "was killed by SIGSEGV"});
}

TEST_CASE("a job that is ended", "[job_runner]") {
    const Verdict good{true, ""};
    CHECK(decide_outcome("claude", Cause::cancelled, "cancelled", SIGTERM, good) ==
          Outcome{JobState::cancelled, 143, "cancelled"});
    CHECK(decide_outcome("claude", Cause::cancelled, "cancelled", 0, good).state == JobState::cancelled);
    CHECK(decide_outcome("command", Cause::time, "time limit of 2h exceeded", SIGKILL, good) ==
          Outcome{JobState::timeout, 137, "time limit of 2h exceeded"});
    CHECK(decide_outcome("command", Cause::idle, "idle", SIGKILL, good).state == JobState::timeout);
    CHECK(decide_outcome("command", Cause::memory, "too much", SIGKILL, good) ==
          Outcome{JobState::failed, 137, "too much"});
    CHECK(decide_outcome("command", Cause::stopped, "session stopped", SIGKILL, good).state ==
          JobState::cancelled);
    CHECK(decide_outcome("command", Cause::lost, "gone", SIGKILL, good) ==
          Outcome{JobState::lost, std::nullopt, "gone"});
    CHECK(decide_outcome("command", Cause::not_started, "cannot run 'x'", 0, good) ==
          Outcome{JobState::failed, 127, "cannot run 'x'"});
}

TEST_CASE("the environment of a job", "[job_runner]") {
    CHECK(merge_environment({"PATH=/a", "HOME=/h"}, {"PATH=/b", "X="}, {{"X", "s=1"}, {"HOMER", "d"}}) ==
          std::vector<std::string>{"PATH=/b", "HOME=/h", "X=s=1", "HOMER=d"});
}

TEST_CASE("events and the record of their job", "[job_runner]") {
    Job job;
    job.state = JobState::running;
    Event event;
    event.kind = Event::Kind::started;
    event.conversation = "id-1";
    event.model = "m";
    CHECK(apply_event(job, event));
    CHECK(job.conversation == "id-1");
    CHECK(job.model == "m");
    CHECK_FALSE(apply_event(job, event));

    event = {};
    event.kind = Event::Kind::waiting;
    CHECK(apply_event(job, event));
    CHECK(job.state == JobState::waiting);
    event.kind = Event::Kind::text;
    CHECK(apply_event(job, event));
    CHECK(job.state == JobState::running);

    event.kind = Event::Kind::result;
    event.input_tokens = 5;
    event.cache_read_tokens = 100;
    event.output_tokens = 7;
    event.cost = 0.25;
    CHECK_FALSE(apply_event(job, event));
    CHECK(job.input_tokens == 105);
    CHECK(job.output_tokens == 7);
    CHECK(job.cost == 0.25);
    apply_event(job, event);
    CHECK(job.output_tokens == 7); // of the job, not added up

    event = {};
    event.kind = Event::Kind::result;
    event.input_tokens = INT64_MAX;
    event.cache_read_tokens = INT64_MAX;
    event.output_tokens = INT64_MIN;
    const std::string bad =
        GENERATE(std::string("--option"), std::string(1'000'000, 'c'), std::string("a\033[1m"));
    event.conversation = bad;
    event.model = bad;
    CHECK_FALSE(apply_event(job, event));
    CHECK(job.conversation == "id-1");
    CHECK(job.model == "m");
    CHECK(job.input_tokens > 105);
    CHECK(job.output_tokens == 7);
}

TEST_CASE("a file of the home is named by an argument, never in the script", "[job_runner]") {
    const auto command = home_file_command("a b/$(x)");
    CHECK(command.back() == "/home/agent/a b/$(x)");
    CHECK(command[2].find("$(x)") == std::string::npos);
}

TEST_CASE("memory counts for the program in whose part of the tree it lies", "[memory_watch]") {
    // 10: the engine's helper; 11: process 1 inside; 20 and 30: leaders; 21, 31: programs; 32: a daemon of
    // the second.
    const std::map<pid_t, ProcessFacts> processes{
        {10, {0, 10, 1}}, {11, {10, 1, 1}},  {20, {11, 2, 1}},   {21, {20, 3, 100}},
        {30, {11, 4, 1}}, {31, {30, 5, 10}}, {32, {30, 6, 500}},
    };
    CHECK(memory_by_program(processes, {3, 5, 99}) == std::map<pid_t, std::uint64_t>{{3, 101}, {5, 511}});
    CHECK(memory_by_program({}, {3}).empty());
}

TEST_CASE("a snapshot that failed keeps what was known, with its problem", "[snapshots]") {
    scad::workspace::RepoState old;
    old.repo = "code";
    old.head = "abc";
    old.ahead = 2;
    scad::workspace::RepoState broken;
    broken.repo = "code";
    broken.problem = "nothing was said of it";
    scad::workspace::RepoState fine;
    fine.repo = "docs";
    fine.head = "def";

    auto merged = merge_states({old}, {broken, fine}, "");
    CHECK(merged[0].ahead == 2);
    CHECK(merged[0].problem == "nothing was said of it");
    CHECK(merged[1] == fine);
    CHECK(merge_states({}, {broken, fine}, "took too long")[0].problem == "took too long");
    CHECK(merge_states({}, {broken, fine}, "took too long")[1].problem.empty());
}
