// What a specification becomes: stage operations and bubblewrap's arguments, one word a line; and what is
// refused.
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/bubblewrap.h"
#include "engine/bubblewrap_argv.h"
#include "engine/seccomp_filter.h"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace scad;
using namespace scad::engine;

namespace {

// The golden file; with SCAD_ACCEPT=1 in the environment it is written anew and the test is about the review
// of it.
void check_golden(const std::string& name, const std::string& text) {
    std::filesystem::path path = std::filesystem::path(SCAD_SOURCE_DIR) / "tests/golden/engine" / name;
    if (std::getenv("SCAD_ACCEPT") != nullptr) {
        base::make_directories(path.parent_path(), 0755);
        base::replace_file(path, text, 0644, base::Durability::plain);
    }
    CHECK(base::read_if_exists(path).value_or("") == text);
}

std::string as_text(const Launch& launch) {
    std::string text;
    for (const auto& operation : launch.stage) text += "stage: " + base::join(operation, " ") + "\n";
    for (const auto& word : launch.arguments) text += word + "\n";
    return text;
}

LaunchFacts some_facts() {
    LaunchFacts facts;
    facts.bwrap = "/usr/bin/bwrap";
    facts.init = "/usr/libexec/scad/scad-init";
    facts.channel_fd = 10;
    facts.status_fd = 11;
    facts.filter_fd = 12;
    facts.arguments_fd = 13;
    facts.file_fds = {20, 21};
    facts.masked_files = {"/proc/keys"};
    facts.masked_directories = {"/proc/acpi"};
    return facts;
}

SandboxSpec session_like() {
    SandboxSpec spec;
    spec.name = "alpha";
    spec.directory = "/work";
    spec.mounts = {
        {"/usr", Bind{"/usr", false}},
        {"/bin", Symlink{"usr/bin"}},
        {"/etc", Directory{0755}},
        {"/etc/passwd", File{"agent\n", 0444}},
        {"/tmp", Bind{"/state/alpha/tmp", true}},
        {"/dev/dri/renderD128", Device{"/dev/dri/renderD128"}},
        {"/run/scad/objects/code", Bind{"/src/code/.git/objects", false}},
        {"/work/code",
         Overlay{{"/state/trees/1"}, "/state/alpha/upper", "/state/alpha/work", "/state/alpha/git"}},
        {"/work/README.md", File{"# alpha\n", 0444}},
        {"/data/set:1", Overlay{{"/data/a,b"}, {}, {}, {}}, false, true},
        {"/data/out", Bind{"/data/out", true}, false, true},
        {"/home/agent", Bind{"/state/alpha/home", true}}};
    return spec;
}

} // namespace

TEST_CASE("a session's sandbox as arguments") {
    LaunchFacts facts = some_facts();
    facts.watch_fd = 14;
    facts.wait_fd = 15;
    SandboxSpec spec = session_like();
    spec.network = NetworkMode::allow;
    spec.proxy_port = 3128;
    spec.limits.pids = 2048;
    spec.limits.open_files = 4096;
    spec.limits.file_size = 1 << 30;
    spec.limits.shm = std::uint64_t{8} << 30;
    check_golden("session.out", as_text(plan_launch(spec, facts)));
}

TEST_CASE("a throw-away sandbox as arguments") {
    SandboxSpec spec;
    spec.name = "trial";
    spec.mounts = {{"/usr", Bind{"/usr", false}}, {"/scratch/deep", Tmpfs{1 << 20, 01777}}};
    check_golden("throwaway.out", as_text(plan_launch(spec, some_facts())));
    spec.network = NetworkMode::host;
    auto open = plan_launch(spec, some_facts());
    CHECK(std::find(open.arguments.begin(), open.arguments.end(), "--unshare-net") == open.arguments.end());
}

TEST_CASE("the root is made read-only after everything else was put into it") {
    auto arguments = plan_launch(session_like(), some_facts()).arguments;
    auto last = std::find(arguments.begin(), arguments.end(), "--remount-ro");
    REQUIRE(last != arguments.end());
    CHECK(std::vector<std::string>(last, arguments.end()) ==
          std::vector<std::string>{"--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/work"});
}

TEST_CASE("mounts that cannot be made safely are refused") {
    SandboxSpec spec = session_like();
    auto refused = [&](Mount mount, const std::string& why) {
        spec.mounts.push_back(std::move(mount));
        CHECK_THROWS_WITH(plan_launch(spec, some_facts()), Catch::Contains(why));
    };
    SECTION("inside a working tree") {
        refused({"/work/code/data", Bind{"/data", false}}, "which the session can write");
    }
    SECTION("inside the home") {
        refused({"/home/agent/.config/x", Directory{}}, "which the session can write");
    }
    SECTION("over the home") { refused({"/home/agent", Tmpfs{1, 0700}}, "which the session can write"); }
    SECTION("twice") { refused({"/usr", Bind{"/opt", false}}, "mounted twice"); }
    SECTION("in proc") { refused({"/proc/sys", Bind{"/x", false}}, "inside '/proc'"); }
    SECTION("relative") { refused({"data", Directory{}}, "not an absolute, normal path"); }
    SECTION("with dots") { refused({"/data/../usr/x", Directory{}}, "not an absolute, normal path"); }
    SECTION("relative source") { refused({"/data", Bind{"data", false}}, "is not absolute"); }
    SECTION("upper without work") {
        refused({"/data", Overlay{{"/a"}, "/b", {}, {}}}, "both an upper and a work");
    }
    SECTION("git without upper") {
        refused({"/data", Overlay{{"/a"}, {}, {}, "/g"}}, "cannot have a git directory");
    }
    SECTION("no lower") { refused({"/data", Overlay{}}, "no lower layer"); }
    SECTION("a name that only looks alike is fine") {
        spec.mounts.push_back({"/home/agent2", Directory{}});
        CHECK_NOTHROW(plan_launch(spec, some_facts()));
    }
}

TEST_CASE("what bubblewrap said last") {
    CHECK(last_lines("bwrap: a\n\nscad-init: b: c\n", 1) == "b: c");
    CHECK(last_lines("bwrap: a\n\nscad-init: b\n", 10) == "a\nb");
    CHECK(last_lines("", 3).empty());
}

TEST_CASE("the system call filter as text") {
    auto rules = sandbox_rules();
    check_golden("seccomp.out", rules_text(rules));
    auto file = compile_filter(rules);
    auto program = base::read_all(file.get(), 1 << 20, "filter");
    CHECK(program.size() % 8 == 0);
    CHECK(program.size() > 1000);
}

TEST_CASE("a filter with a call that nobody knows is refused") {
    CHECK_THROWS_WITH(compile_filter({{SyscallAnswer::not_permitted, "no_such_call", {}, {}}}),
                      Catch::Contains("no_such_call"));
}
