#include "environment/environment.h"
#include "environment/store.h"
#include "project_world.h"

#include <catch2/catch.hpp>
#include <thread>

using namespace scad;

namespace {

project::Project project_with(std::map<std::string, std::string> env) {
    project::Project project;
    project.name = "atlas";
    project.environment.env = std::move(env);
    return project;
}

} // namespace

TEST_CASE("a plan's id depends on what is baked and on nothing else") {
    auto one = environment::plan_environment(project_with({{"A", "1"}, {"B", "2"}}));
    auto same = project_with({{"B", "2"}, {"A", "1"}});
    same.name = "other";
    same.limits.pids = 10;
    CHECK(environment::plan_environment(same).id == one.id);
    CHECK(one.id.size() == 40);
    CHECK(environment::plan_environment(project_with({{"A", "2"}, {"B", "2"}})).id != one.id);
    CHECK(environment::plan_environment(project_with({{"A", "1"}})).id != one.id);
    CHECK(environment::plan_environment(project_with({{"A", "1\",\"B\":\"2"}})).id != one.id);
    CHECK(one.steps == std::vector<std::string>{"take the host's programs, read only", "set A", "set B"});
    // Sessions name their environment by it: it may only change together with the format's version.
    CHECK(environment::plan_environment(project_with({})).id == "1570cc1fb50c048250b1011856d3d7e7f031d836");
}

TEST_CASE("what cannot be baked is an error before anything is made") {
    auto project = project_with({});
    project.environment.base = "debian:bookworm";
    CHECK_THROWS_WITH(environment::plan_environment(project),
                      Catch::Contains("'debian:bookworm' is not supported"));
    CHECK_THROWS_AS(environment::make_environment("debian:bookworm"), Error);
    CHECK(environment::make_environment("host")->name() == "host");
}

TEST_CASE("an environment is baked once and found by its id") {
    ProjectWorld world;
    auto paths = world.stand_in(world.top).paths;
    auto plan = environment::plan_environment(project_with({{"A", "ä\n\"x"}, {"B", ""}}));
    CHECK_FALSE(environment::is_baked(paths, plan));
    CHECK_FALSE(environment::find(paths, plan.id));
    CHECK(environment::list(paths).empty());
    CHECK_THROWS_WITH(environment::environment_variables(paths, plan.id), Catch::Contains("is not baked"));

    int steps = 0;
    environment::bake(paths, plan, [&](std::string_view) { ++steps; });
    CHECK(steps == 3);
    CHECK(environment::is_baked(paths, plan));
    environment::bake(paths, plan, [&](std::string_view) { ++steps; });
    CHECK(steps == 3);
    CHECK(environment::environment_variables(paths, plan.id) ==
          std::vector<std::pair<std::string, std::string>>{{"A", "ä\n\"x"}, {"B", ""}});
    CHECK(environment::list(paths).size() == 1);
    CHECK(ProjectWorld::read(paths.environments() / plan.id / "log") ==
          "take the host's programs, read only\nset A\nset B\n");
    CHECK_FALSE(environment::find(paths, "../" + plan.id));

    SECTION("what a killed build left is swept") {
        std::filesystem::create_directories(paths.environments() / ".tmp-1-0123");
        environment::bake(paths, environment::plan_environment(project_with({})), {});
        CHECK_FALSE(std::filesystem::exists(paths.environments() / ".tmp-1-0123"));
        CHECK(environment::list(paths).size() == 2);
        CHECK(environment::prune(paths, {plan.id}).size() == 1);
        CHECK(environment::is_baked(paths, plan));
    }
    SECTION("of a newer scad it is refused") {
        std::ofstream(paths.environments() / plan.id / "environment.json") << R"({"version": 99})";
        CHECK_THROWS_WITH(environment::environment_variables(paths, plan.id), Catch::Contains("newer"));
        CHECK(environment::list(paths).empty());
    }
}

TEST_CASE("builds that race make an environment once") {
    ProjectWorld world;
    auto paths = world.stand_in(world.top).paths;
    auto plan = environment::plan_environment(project_with({{"A", "1"}}));
    std::vector<std::thread> builds;
    builds.reserve(8);
    for (int i = 0; i < 8; ++i) {
        builds.emplace_back([&] { environment::bake(paths, plan, {}); });
    }
    for (auto& build : builds) build.join();
    CHECK(environment::is_baked(paths, plan));
    int entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(paths.environments())) {
        entries += entry.path().filename() == plan.id ? 1 : 10;
    }
    CHECK(entries == 1);
}
