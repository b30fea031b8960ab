#include "session/session.h"
#include "session/job.h"

#include "base/error.h"
#include "base/file.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <thread>

using namespace scad;
using session::State;

namespace {

session::Session example(const std::filesystem::path& directory) {
    session::Session value;
    value.name = "alpha";
    value.project = "atlas";
    value.docs_repo = "/home/u/docs";
    value.created = 1'700'000'000;
    value.engine = "bubblewrap";
    value.workspace = "overlay";
    value.environment = "0123abcd";
    value.variables = {{"B", "2"}, {"A", "1"}};
    value.repos = {{"code",
                    "/home/u/code",
                    "/home/u/code/.git",
                    {"/home/u/code/.git/objects", "/srv/shared/objects"},
                    std::string(40, 'a'),
                    "main",
                    "alpha",
                    "k/v"}};
    value.mounts = {{"/data", "/srv/data", false, false}, {"/out", "/srv/out", true, false}};
    value.network = engine::NetworkMode::allow;
    value.allow = {"api.anthropic.com", "127.0.0.1:8080"};
    value.limits.memory = std::uint64_t{16} << 30;
    value.limits.pids = 2048;
    value.limits.cpus = 1.5;
    value.time = std::chrono::hours(2);
    value.agent = "claude";
    value.agent_directory = "/work/code";
    value.secrets = {"WANDB_API_KEY"};
    value.directory = directory;
    return value;
}

} // namespace

// A field that is written and not read (or the other way round) would make a resumed session differ from the
// one that was started.
TEST_CASE("a session reads back as it was written", "[session]") {
    const Scratch directory;
    const auto written = example(directory.path());
    base::replace_file(directory / "session.json", to_json(written));
    const auto read = session::read_session(directory.path());
    CHECK(read.name == written.name);
    CHECK(read.variables == written.variables); // their order too
    CHECK(read.repos == written.repos);
    CHECK(read.mounts == written.mounts);
    CHECK(read.allow == written.allow);
    CHECK(read.limits == written.limits);
    CHECK(read.time == written.time);
    CHECK(read.idle == written.idle);
    CHECK(read.secrets == written.secrets);
    CHECK(to_json(read) == to_json(written));
}

TEST_CASE("a session file that is not as it should be is an error that names it", "[session]") {
    const Scratch directory;
    const auto text =
        GENERATE(as<std::string>{}, "", "{", "[]", "{}", R"({"version": 99})", R"({"version": 1})",
                 R"({"version": 1, "name": 3})", R"({"version": 1, "network": []})");
    base::replace_file(directory / "session.json", text);
    try {
        session::read_session(directory.path());
        FAIL("accepted: " << text);
    } catch (const Error& error) {
        CHECK(base::render_error(error).find("session.json") != std::string::npos);
    }
}

// The table of what a session is, from what lies on disk and who holds which lock.
TEST_CASE("the state of a session follows from facts", "[session]") {
    struct Row {
        std::string phase;
        bool alive, busy, whole;
        State state;
    };
    const auto row = GENERATE(values<Row>({
        {"live", true, false, true, State::live},
        {"live", true, true, true, State::live},
        {"live", false, false, true, State::lost}, // the supervisor was killed, or the machine rebooted
        {"live", false, true, true, State::lost},  // somebody is about to resume it
        {"starting", false, true, true, State::starting},
        {"starting", false, false, true, State::lost}, // the start was killed behind the rename
        {"starting", true, true, true, State::live},
        {"stopped", false, false, true, State::stopped},
        {"stopped", false, false, false, State::damaged},
        {"live", true, false, false, State::live},
        {"removing", false, false, true, State::removing},
        {"removing", true, true, true, State::removing},
        {"", false, false, true, State::lost},
    }));
    CAPTURE(row.phase, row.alive, row.busy, row.whole);
    CHECK(session::decide_state(row.phase, row.alive, row.busy, row.whole) == row.state);
}

TEST_CASE("a job reads back as it was written", "[session]") {
    const Scratch directory;
    const auto owner = example(directory.path());
    session::Job job;
    job.agent = "claude";
    job.argv = {"claude", "-p"};
    job.environment = {"A=b"};
    job.path = {"/opt/scad/agents/x/bin"};
    job.files = {{".claude.json", "{}"}};
    job.directory = "/work/code";
    job.prompt_on_stdin = true;
    job.reader = "claude";
    job.prompt_line = "fix it";
    job.secret_names = {"ANTHROPIC_API_KEY"};
    job.time = std::chrono::seconds(7);
    job.created = 5;
    auto made = create_job(owner, job, "fix it\n");
    CHECK(made.number == 1);
    CHECK(base::read_file(made.directory_on_host / "prompt") == "fix it\n");
    made.state = session::JobState::failed;
    made.exit_status = 130;
    made.reason = "denied tool";
    made.cost = 0.25;
    made.after = {{}};
    made.after[0].repo = "code";
    made.after[0].ahead = 3;
    write_job(made);
    const auto read = session::read_job(made.directory_on_host);
    CHECK(read.files == made.files);
    CHECK(read.time == made.time);
    CHECK(read.idle == made.idle);
    CHECK(read.exit_status == made.exit_status);
    CHECK(read.state == made.state);
    CHECK(read.after == made.after);
    CHECK(read.cost == made.cost);
    CHECK(read.secret_names == made.secret_names);
}

// Two commands that inject at the same moment must not share a job directory.
TEST_CASE("racing callers get different job numbers", "[session]") {
    const Scratch directory;
    const auto owner = example(directory.path());
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 5; ++n) create_job(owner, {}, std::to_string(n));
        });
    for (auto& thread : threads) thread.join();
    const auto jobs = list_jobs(owner, true);
    REQUIRE(jobs.size() == 40);
    for (std::size_t i = 0; i < jobs.size(); ++i) CHECK(jobs[i].number == i + 1);
}

TEST_CASE("a job that a dead session left unfinished is lost", "[session]") {
    const Scratch directory;
    const auto owner = example(directory.path());
    auto job = create_job(owner, {}, "");
    job.state = session::JobState::running;
    write_job(job);
    CHECK(list_jobs(owner, true).front().state == session::JobState::running);
    CHECK(list_jobs(owner, false).front().state == session::JobState::lost);
    job.state = session::JobState::done;
    write_job(job);
    CHECK(list_jobs(owner, false).front().state == session::JobState::done);
}

TEST_CASE("names of jobs", "[session]") {
    CHECK(session::parse_job_name("alpha").session == "alpha");
    CHECK_FALSE(session::parse_job_name("alpha").number);
    CHECK(session::parse_job_name("alpha:3").number == 3);
    const auto bad = GENERATE(as<std::string>{}, "", ":3", "alpha:", "alpha:0", "alpha:-1", "alpha:x",
                              "alpha:3x", "alpha:99999999999999999999999");
    CHECK_THROWS_AS(session::parse_job_name(bad), Error);
}
