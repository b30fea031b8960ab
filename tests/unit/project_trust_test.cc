#include "project/load.h"
#include "project/support.h"
#include "project/trust.h"
#include "project_world.h"

#include <catch2/catch.hpp>

using namespace scad;

namespace {

std::vector<std::string> requests_of(const project::Project& project, const base::Context& context) {
    std::vector<std::string> lines;
    const project::TrustCheck check(project, context);
    for (const auto& request : check.requests()) lines.push_back(request.line);
    return lines;
}

std::vector<std::string> unapproved(const project::Project& project, const base::Context& context) {
    return project::TrustCheck(project, context).unapproved();
}

void approve(const project::Project& project, const base::Context& context) {
    project::TrustCheck(project, context).approve();
}

project::Project base_project(const ProjectWorld& world) {
    project::Project project;
    project.name = "atlas";
    project.docs_repo = world.top / "docs";
    project.repos.push_back({"code", world.top / "code", "", "", {}, {}});
    project.repos.push_back({"docs", world.top / "docs", "", "", {}, {}});
    return project;
}

} // namespace

TEST_CASE("all that a project asks for is listed, by real path and sorted") {
    ProjectWorld world;
    std::filesystem::create_symlink(world.top / "plain", world.top / "link");
    auto project = base_project(world);
    project.repos.push_back({"far", {}, "https://example.org/far.git", "", {}, {}});
    project.repos[0].include = {".env.test"};
    project.mounts.push_back({"/data/a", (world.top / "link").native(), project::MountMode::rw, {}});
    project.mounts.push_back({"/data/b", "/srv/with\nnewline", project::MountMode::cow, {}});
    project.environment.base = "debian:bookworm";
    project.environment.tools = {(world.top / "link").native()};
    project.environment.setup.push_back({"npm ci\nrm x", {"code/package.json"}, {}});
    project.environment.network_allow = {"@npm"};
    project.environment.gpu = true;
    project.environment.devices = {"/dev/null"};
    project.network.mode = project::NetworkMode::host;
    project.agent.env = {"WANDB_API_KEY"};
    project.agent.files = {(world.top / "link/file").native()};
    project.agent.file_sources = {(world.top / "plain/file").native()};
    project.agent.mcp = {"zoo"};
    project.triggers.push_back({"post-commit", "docs", "new", "Do {path}", {"tasks/*.md"}, {}, {}});
    std::vector<std::string> stable;
    for (const auto& line : requests_of(project, world.stand_in(world.top)))
        stable.push_back(world.stable(line));
    CHECK(stable == std::vector<std::string>{
                        "MCP server zoo of yours, with its secrets, for agent claude",
                        "agent file <top>/plain/file",
                        "credentials of agent claude",
                        "device /dev/null",
                        "environment from debian:bookworm",
                        "file <top>/code/.env.test of repo code",
                        "gpu",
                        "mount /data/a read-write from <top>/plain",
                        "mount /data/b copy-on-write from \"/srv/with\\nnewline\"",
                        "network host (loopback and abstract sockets of this machine are open to it)",
                        "network to @npm while baking",
                        "repo code at <top>/code",
                        "repo far from https://example.org/far.git",
                        "secret WANDB_API_KEY",
                        "setup \"npm ci\\nrm x\" with code/package.json",
                        "tools <top>/link from <top>/plain",
                        "trigger post-commit in repo docs on paths tasks/*.md: session new, prompt Do {path}",
                    });
}

TEST_CASE("a project of its docs repo alone and plain commands asks for nothing") {
    ProjectWorld world;
    auto project = base_project(world);
    project.repos.erase(project.repos.begin());
    project.agent.use = "command";
    auto context = world.stand_in(world.top);
    CHECK(requests_of(project, context).empty());
    CHECK_NOTHROW(project::require_trust(project, context));
    CHECK_FALSE(std::filesystem::exists(context.paths.trust()));
}

TEST_CASE("what was approved is not asked about again, what is new is") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    auto project = base_project(world);
    project.mounts.push_back({"/data/a", "/srv/a", project::MountMode::rw, {}});
    project.network.allow = {"*.debian.org", "a.example"};
    auto asked = [&] { return unapproved(project, context); };
    using Lines = std::vector<std::string>;

    CHECK(asked().size() == 7);
    approve(project, context);
    CHECK(asked().empty());

    SECTION("less") {
        project.repos.erase(project.repos.begin());
        project.network.allow.pop_back();
        CHECK(asked().empty());
    }
    SECTION("read-only where read-write was approved") {
        project.mounts[0].mode = project::MountMode::ro;
        CHECK(asked().empty());
        project.mounts[0].mode = project::MountMode::cow;
        CHECK(asked().empty());
    }
    SECTION("a name that a pattern covers") {
        project.network.allow = {"deb.debian.org", "security.debian.org"};
        CHECK(asked().empty());
        project.network.allow = {"debian.org", "deb.debian.org:8443", "*.org"};
        CHECK(asked() ==
              Lines{"network to *.org", "network to deb.debian.org:8443", "network to debian.org"});
    }
    SECTION("another source at the same place") {
        project.mounts[0].source = "/srv/b";
        CHECK(asked() == Lines{"mount /data/a read-write from /srv/b"});
    }
    SECTION("another repo, another secret") {
        project.repos.push_back({"x", world.top / "holds/inner", "", "", {}, {}});
        project.agent.env = {"TOKEN"};
        CHECK(asked().size() == 2);
    }
    SECTION("another agent") {
        project.agent.use = "codex";
        CHECK(asked() == Lines{"credentials of agent codex",
                               "memory, skills and commands of yours for agent codex",
                               "network to the hosts of agent codex"});
    }
    SECTION("the network of the host") {
        project.network.mode = project::NetworkMode::host;
        CHECK(asked().size() == 1);
        approve(project, context);
        project.network.mode = project::NetworkMode::allow;
        CHECK(asked().empty());
    }
    SECTION("read-write after read-only was approved") {
        project.mounts[0].mode = project::MountMode::ro;
        approve(project, context);
        project.mounts[0].mode = project::MountMode::rw;
        CHECK(asked() == Lines{"mount /data/a read-write from /srv/a"});
    }
    SECTION("former approvals go with a new one") {
        project.network.allow.clear();
        approve(project, context);
        project.network.allow = {"a.example"};
        CHECK(asked() == Lines{"network to a.example"});
    }
    SECTION("the same project of another docs repo") {
        project.docs_repo = world.top / "code";
        CHECK(asked().size() == 7);
    }
    SECTION("another project of the same docs repo") {
        project.name = "other";
        CHECK(asked().size() == 7);
    }
    SECTION("a source that becomes a link to elsewhere") {
        std::filesystem::create_directory(world.top / "data");
        project.mounts[0].source = (world.top / "data").native();
        approve(project, context);
        std::filesystem::remove(world.top / "data");
        std::filesystem::create_symlink(world.top / "home", world.top / "data");
        REQUIRE(asked().size() == 1);
        CHECK(world.stable(asked().front()) == "mount /data/a read-write from <top>/home");
    }
}

TEST_CASE("the network, opened, is asked about") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    auto project = base_project(world);
    project.network.mode = project::NetworkMode::none;
    approve(project, context);
    project.network.mode = project::NetworkMode::allow;
    CHECK(unapproved(project, context) == std::vector<std::string>{"network to the hosts of agent claude"});
}

TEST_CASE("a limit that is raised or dropped is asked about, one that is lowered or new is not") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    auto project = base_project(world);
    project.limits.cpus = 2;
    project.limits.memory = std::uint64_t{8} << 30;
    project.limits.pids = 500;
    project.limits.time = std::chrono::hours(1);
    project.limits.strict = true;
    auto asked = [&] { return unapproved(project, context); };
    using Lines = std::vector<std::string>;

    // The first approval shows them, and nothing but them where nothing else is asked for.
    CHECK(asked().size() == 8);
    project.agent.use = "command";
    project.repos.erase(project.repos.begin());
    CHECK(asked() ==
          Lines{"memory up to 8GiB", "processes up to 500", "processors up to 2", "time of a job up to 1h"});
    approve(project, context);
    CHECK(asked().empty());

    SECTION("lowered, new") {
        project.limits.cpus = 0.5;
        project.limits.memory = 1 << 30;
        project.limits.idle = std::chrono::minutes(1);
        CHECK(asked().empty());
    }
    SECTION("raised") {
        project.limits.cpus = 2.5;
        project.limits.memory = (std::uint64_t{8} << 30) + 1;
        project.limits.pids = 501;
        project.limits.time = std::chrono::seconds(3601);
        CHECK(asked() == Lines{"memory up to 8589934593", "processes up to 501", "processors up to 2.5",
                               "time of a job up to 1h1s"});
        approve(project, context);
        CHECK(asked().empty());
    }
    SECTION("dropped, and the approval of that remembered") {
        project.limits = {};
        CHECK(asked() == Lines{"limits by whatever means there are (not strict)", "memory without limit",
                               "processes up to 4096", "processors without limit",
                               "time of a job without limit"});
        CHECK(requests_of(project, context).size() == 5);
        approve(project, context);
        CHECK(asked().empty());
        CHECK(requests_of(project, context).empty());
        project.limits.memory = std::uint64_t{64} << 30;
        CHECK(asked().empty());
        project.limits.pids = 100000; // more than what holds without a limit
        CHECK(asked() == Lines{"processes up to 100000"});
    }
}

TEST_CASE("an agent of the project's own stands for all that its definition says") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    world.write("docs/.scad/agents/mine.toml", "program = \"x\"\n");
    auto project = base_project(world);
    project.agent.use = "mine";
    approve(project, context);
    CHECK(unapproved(project, context).empty());
    world.write("docs/.scad/agents/mine.toml", "program = \"x\"\ncredentials = [\"AWS_SECRET\"]\n");
    auto lines = unapproved(project, context);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith("agent mine as defined by .scad/agents/mine.toml (sha256 "));
}

TEST_CASE("what is not approved is an answer of no with the list and the command") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    auto project = base_project(world);
    try {
        project::require_trust(project, context);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind == Error::Kind::no);
        CHECK(world.stable(error.message) ==
              "the project 'atlas' asks for what was not approved yet:\n"
              "    credentials of agent claude\n"
              "    memory, skills and commands of yours for agent claude\n"
              "    network to the hosts of agent claude\n"
              "    repo code at <top>/code");
        CHECK(error.hint == "git scad config trust atlas");
    }
}

TEST_CASE("what this build cannot do is told with its place, when it is needed") {
    ProjectWorld world;
    auto context = world.stand_in(world.top);
    auto golden = std::filesystem::path(SCAD_SOURCE_DIR) / "tests/golden/project/ok-full.in";
    world.write("docs/.scad/full.toml", ProjectWorld::read(golden));
    auto project = project::load(world.top / "docs", "full", context);
    std::vector<std::string> told;
    for (const auto& lack : project::unsupported(project)) {
        CHECK(lack.place.file == (world.top / "docs/.scad/full.toml").native());
        told.push_back(std::to_string(lack.place.line) + ": " + lack.message);
    }
    CHECK(told == std::vector<std::string>{
                      "22: 'environment.packages' is not supported in this build",
                      "35: 'limits.disk' is not supported in this build",
                      "16: '{session}' in a mount's source is not supported in this build",
                      "20: the base 'debian:bookworm' is not supported in this build, only 'host'",
                      "46: the agent 'codex' is not supported in this build, only 'claude' and 'command'",
                  });
    CHECK(project::warnings(project).size() == 3);
    CHECK_THROWS_WITH(
        project::require_supported(project),
        Catch::Contains(
            "full.toml:22:12: 'environment.packages' is not supported in this build\npackages = "));

    world.write("docs/.scad/plain.toml",
                "[repos.docs]\npath = \".\"\n[environment]\ngpu = false\ntools = []\n");
    auto plain = project::load(world.top / "docs", "plain", context);
    CHECK(project::unsupported(plain).empty());
    CHECK(project::warnings(plain).empty());
    CHECK_NOTHROW(project::require_supported(plain));
}
