// Would catch: descriptors, signals or environment that leak into children, ends that are misreported, waits
// that never end.
#include "base/file.h"
#include "base/process.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace scad::base;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

Command shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

} // namespace

TEST_CASE("output, status and input of a child", "[base][process]") {
    const std::size_t before = open_descriptors();
    const Result result = run(shell("echo out; echo err >&2; exit 3"));
    CHECK(result.out == "out\n");
    CHECK(result.err == "err\n");
    CHECK(result.status() == 3);
    CHECK_FALSE(result.ok());
    Command cat = shell("cat");
    cat.input = std::string(1 << 20, 'x');
    CHECK(run(cat).out == cat.input);
    CHECK(run(shell("cat")).out.empty()); // standard input is empty by default
    CHECK(open_descriptors() == before);
}

TEST_CASE("large output on both streams", "[base][process]") {
    const Result result = run(shell("head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait"));
    CHECK(result.ok());
    CHECK(result.out.size() == 3000000);
    CHECK(result.err.size() == 3000000);
}

TEST_CASE("ends by signal", "[base][process]") {
    const Result result = run(shell("kill -TERM $$"));
    CHECK(WIFSIGNALED(result.wait_status));
    CHECK(result.status() == 128 + SIGTERM);
    CHECK_FALSE(result.ok());
    CHECK(describe_wait_status(result.wait_status) == "was killed by SIGTERM");
    CHECK(describe_wait_status(run(shell("exit 3")).wait_status) == "exited with status 3");
    CHECK(describe_wait_status(SIGRTMIN) == "was killed by signal " + std::to_string(SIGRTMIN));
}

TEST_CASE("time and output are bounded", "[base][process]") {
    Command slow = shell("echo begun; exec sleep 100");
    slow.timeout = 100ms;
    const Result late = run(slow);
    CHECK(late.timed_out);
    CHECK_FALSE(late.ok());
    CHECK(late.out == "begun\n");
    CHECK_THROWS_WITH(run_ok(slow), Catch::Contains("did not end within 0.1 s"));
    Command endless = shell("exec cat /dev/zero");
    endless.output_limit = 1000;
    const Result loud = run(endless);
    CHECK(loud.over_limit);
    CHECK(loud.out.size() == 1000);
    Command exact = shell("printf 12345");
    exact.output_limit = 5;
    CHECK(run(exact).ok());
}

TEST_CASE("something left running does not hold the caller", "[base][process]") {
    const auto begin = std::chrono::steady_clock::now();
    const Result result = run(shell("sleep 5 & echo done"));
    CHECK(result.out == "done\n");
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
}

TEST_CASE("what cannot be started says so", "[base][process]") {
    const Scratch scratch;
    CHECK_THROWS_WITH(run({.argv = {"no-such-program-of-scad"}}),
                      Catch::Contains("cannot find the program 'no-such-program-of-scad'"));
    CHECK_THROWS_WITH(run({.argv = {"/no/such/program"}}), Catch::Contains("No such file"));
    CHECK_THROWS_WITH(run({.argv = {scratch.file("plain").native()}}), Catch::Contains("cannot run"));
    CHECK_THROWS_AS(run({.argv = {}}), Error);
    const fs::path garbage = scratch.file("garbage",
                                          "\x7f"
                                          "ELF, not really");
    fs::permissions(garbage, fs::perms::owner_all);
    CHECK_THROWS_WITH(run({.argv = {garbage.native()}}), Catch::Contains("Exec format error"));
    CHECK_THROWS_WITH(run({.argv = {"/bin/true"}, .directory = scratch / "none"}),
                      Catch::Contains("no such directory"));
    CHECK_THROWS_AS(start({.argv = {"/bin/true"}}), Error); // nobody would read its output
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);           // no zombie is left
}

TEST_CASE("failures tell what was run and what it said", "[base][process]") {
    Command command = shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i >&2; done; exit 7");
    try {
        run_ok(command);
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.message.find("/bin/sh -c ") != std::string::npos);
        CHECK(error.message.find("exited with status 7\n  line 3\n") != std::string::npos);
        CHECK(error.message.ends_with("\n  line 12"));
    }
    CHECK(run_ok(shell("echo fine")) == "fine\n");
}

TEST_CASE("descriptors do not leak", "[base][process]") {
    const Fd low(::open("/dev/null", O_RDONLY)); // on purpose without O_CLOEXEC
    const Fd high(::fcntl(low.get(), F_DUPFD, 300));
    const Fd kept = make_memory_file("kept", "content");
    Command command = shell("ls /proc/self/fd | tr '\\n' ' '");
    command.inherit = {kept.get()};
    // ls itself has one open on the directory, with the lowest free number.
    const std::string expected = "0 1 2 3 " + std::to_string(kept.get()) + " ";
    CHECK(run(command).out == (kept.get() == 3 ? "0 1 2 3 4 " : expected));
    command.argv.back() = "cat /proc/self/fd/" + std::to_string(kept.get());
    CHECK(run(command).out == "content");
    CHECK((::fcntl(kept.get(), F_GETFD) & FD_CLOEXEC) != 0); // here it still closes
}

TEST_CASE("signals start afresh", "[base][process]") {
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigset_t old;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, &old);
    const std::string status = run(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d ' \\t\\n'")).out;
    ::sigprocmask(SIG_SETMASK, &old, nullptr);
    ::signal(SIGPIPE, before);
    CHECK(status.find("SigBlk:0000000000000000") != std::string::npos);
    const auto ignored = std::stoull(status.substr(status.find("SigIgn:") + 7, 16), nullptr, 16);
    CHECK((ignored >> (SIGPIPE - 1) & 1) == 0);
}

TEST_CASE("environment, directory, session", "[base][process]") {
    const Scratch scratch;
    Command command =
        shell("pwd; echo $A; echo ${HOME-unset}; ps -o sid= -p $$ 2>/dev/null | tr -d ' '; echo $$");
    command.argv.back() = "pwd; echo $A; echo ${HOME-unset}; cut -d' ' -f6 /proc/$$/stat; echo $$";
    command.directory = scratch.path();
    command.environment = {"A=1", "PATH=/usr/bin:/bin"};
    command.new_session = true;
    const std::vector<std::string> told = lines(run(command).out);
    REQUIRE(told.size() == 5);
    CHECK(told[0] == fs::canonical(scratch.path()));
    CHECK(told[1] == "1");
    CHECK(told[2] == "unset");
    CHECK(told[3] == told[4]);
}

TEST_CASE("streams may be any descriptors", "[base][process]") {
    const Pipe pipe = make_pipe();
    const Pipe other = make_pipe();
    Command command = shell("echo out; echo err >&2");
    command.out = Stream::descriptor(pipe.write.get());
    command.err = Stream::descriptor(other.write.get());
    CHECK(start(command).wait() == 0);
    char buffer[16];
    CHECK(::read(pipe.read.get(), buffer, sizeof buffer) == 4);
    CHECK(::read(other.read.get(), buffer, sizeof buffer) == 4);
    command.argv.back() =
        "echo x >&2"; // to the caller's standard output, which is replaced for the child itself
    command.out = Stream::descriptor(pipe.write.get());
    command.err = Stream::descriptor(pipe.write.get());
    CHECK(start(command).wait() == 0);
    CHECK(::read(pipe.read.get(), buffer, sizeof buffer) == 2);
}

TEST_CASE("children are held by a pidfd", "[base][process]") {
    Command command = shell("exec sleep 100");
    command.out = command.err = Stream::null();
    Child child = start(command);
    CHECK_FALSE(child.try_wait());
    pollfd ended{child.pidfd(), POLLIN, 0};
    CHECK(::poll(&ended, 1, 0) == 0);
    child.signal(SIGKILL);
    CHECK(::poll(&ended, 1, 5000) == 1);
    CHECK(WTERMSIG(child.wait()) == SIGKILL);
    CHECK(child.try_wait() == SIGKILL);
    child.signal(SIGTERM); // no error once it has ended
    CHECK((::fcntl(child.pidfd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("finding programs", "[base][process]") {
    const Scratch scratch;
    fs::permissions(scratch.file("one/tool"), fs::perms::owner_all);
    fs::permissions(scratch.file("two/tool"), fs::perms::owner_all);
    scratch.file("one/plain");
    fs::create_directories(scratch / "one/dir");
    const std::vector<std::string> environment{"PATH=/nowhere:" + (scratch / "one").native() + ":" +
                                               (scratch / "two").native()};
    CHECK(find_program("tool", environment) == scratch / "one/tool");
    CHECK_FALSE(find_program("plain", environment));
    CHECK_FALSE(find_program("dir", environment));
    CHECK_FALSE(find_program("none", environment));
    CHECK_FALSE(find_program("", environment));
    CHECK(find_program((scratch / "two/tool").native(), environment) == scratch / "two/tool");
    CHECK_FALSE(find_program((scratch / "one/plain").native(), environment));
    CHECK(find_program("sh", {})); // without PATH the usual places
    CHECK_THROWS_WITH(sibling_program("no-such-sibling"), Catch::Contains("libexec/scad"));
}
