#include "project/check.h"
#include "project/load.h"
#include "project_world.h"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace fs = std::filesystem;
using namespace scad;

namespace {

// What is wrong with the project in `case`.in (and `case`.local.in), or the project as it is shown.
std::string outcome(ProjectWorld& world, const fs::path& in) {
    auto name = in.stem().native();
    world.write("docs/.scad/" + name + ".toml", ProjectWorld::read(in));
    auto local = in.parent_path() / (name + ".local.in");
    if (fs::exists(local)) world.write("docs/.scad/" + name + ".local.toml", ProjectWorld::read(local));
    auto context = world.stand_in(world.top);
    auto checked = project::check(world.top / "docs", name, context);
    return world.stable(checked.project ? project::to_toml(*checked.project)
                                        : checked.problems.render() + "\n");
}

} // namespace

TEST_CASE("project files are read as their golden outcomes say") {
    ProjectWorld world;
    auto directory = fs::path(SCAD_SOURCE_DIR) / "tests/golden/project";
    bool accept = std::getenv("SCAD_ACCEPT") != nullptr;
    int cases = 0;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const auto& in = entry.path();
        if (in.extension() != ".in" || in.stem().extension() == ".local") continue;
        ++cases;
        auto got = outcome(world, in);
        auto out = fs::path(in).replace_extension(".out");
        if (accept) std::ofstream(out) << got;
        INFO(in.filename());
        CHECK(got == ProjectWorld::read(out));
    }
    CHECK(cases > 15);
}

TEST_CASE("a project that is shown reads back as the same project") {
    ProjectWorld world;
    auto directory = fs::path(SCAD_SOURCE_DIR) / "tests/golden/project";
    world.write("docs/.scad/one.toml", ProjectWorld::read(directory / "ok-full.in"));
    auto context = world.stand_in(world.top);
    auto one = project::load(world.top / "docs", "one", context);
    world.write("docs/.scad/two.toml", project::to_toml(one));
    auto two = project::load(world.top / "docs", "two", context);
    CHECK(project::to_toml(one) == project::to_toml(two));
    CHECK(two.repos.size() == 3);
    CHECK(two.repos.front().name == "zeta");
    CHECK(two.environment.env.at("QUOTED") == "a \"b\" \\ \t\a\u202e é");
    auto json = project::to_json(one);
    CHECK(json.find("\"version\": 1") != std::string::npos);
    CHECK(json.find("\"path\": \"" + (world.top / "code").native() + "\"") != std::string::npos);
}

TEST_CASE("load throws all errors in one") {
    ProjectWorld world;
    world.write("docs/.scad/bad.toml", "[repos.docs]\npath = \".\"\n[limits]\ncpu = 1\npids = true\n");
    auto context = world.stand_in(world.top);
    try {
        project::load(world.top / "docs", "bad", context);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind == Error::Kind::fatal);
        CHECK(world.stable(error.message) ==
              "the project 'bad' has errors\n"
              "<top>/docs/.scad/bad.toml:4:1: unknown key 'cpu' in 'limits'\ncpu = 1\n^\n    did you mean "
              "'cpus'?\n"
              "<top>/docs/.scad/bad.toml:5:8: 'limits.pids' must be a whole number, not a boolean\n"
              "pids = true\n       ^");
    }
    CHECK_THROWS_AS(project::load(world.top / "docs", "none", context), Error);
    CHECK_THROWS_AS(project::load(world.top / "docs", "../x", context), Error);
    CHECK_THROWS_AS(project::load(world.top / "nowhere", "bad", context), Error);
}

TEST_CASE("the agent of a project must not have the name of a built-in one") {
    ProjectWorld world;
    world.write("docs/.scad/a.toml", "[repos.docs]\npath = \".\"\n[agent]\nuse = \"mine\"\n");
    world.write("docs/.scad/agents/mine.toml", "");
    auto context = world.stand_in(world.top);
    CHECK(project::load(world.top / "docs", "a", context).agent.use == "mine");
    world.write("docs/.scad/agents/claude.toml", "");
    CHECK_THROWS_WITH(
        project::load(world.top / "docs", "a", context),
        Catch::Contains("agents/claude.toml:1:1: an agent of a project must not have the name"));
}
