#include "environment/bake.h"
#include "environment/environment.h"
#include "environment/store.h"
#include "project_world.h"

#include <catch2/catch.hpp>
#include <thread>

using namespace scad;
using namespace scad::environment;

namespace {

// Nothing is run where a plan has no steps.
class NoEngine : public engine::Engine {
  public:
    std::string_view name() const override { return "none"; }
    engine::Capabilities capabilities() const override { return {}; }
    std::unique_ptr<engine::Sandbox> start(const engine::SandboxSpec&) const override {
        throw fatal("no sandbox here");
    }
};

Plan plan_with(std::map<std::string, std::string> env) {
    project::Project project;
    project.name = "atlas";
    project.environment.env = std::move(env);
    return plan_environment(project, {});
}

class BakingWorld : public ProjectWorld {
  public:
    base::Paths paths = stand_in(top).paths;
    base::Variables variables{environment()};
    Baked bake(const Plan& plan, bool anew = false) const {
        const Sources sources({}, variables);
        BakeOptions options;
        options.renew = anew;
        return environment::bake(paths, plan, sources, NoEngine(), options, {});
    }
    std::vector<std::string> prune(std::set<std::string> used) const {
        return environment::prune(paths, [&] { return used; }, {});
    }
};

} // namespace

TEST_CASE("a base that this build does not have is refused") {
    CHECK_THROWS_AS(make_environment("debian:bookworm"), Error);
    CHECK(make_environment("host")->name() == "host");
}

TEST_CASE("an environment is baked once and found by its id") {
    BakingWorld world;
    const auto& paths = world.paths;
    const auto plan = plan_with({{"A", "ä\n\"x"}, {"B", ""}});
    CHECK_FALSE(find_baked(paths, plan));
    CHECK(list(paths).empty());
    CHECK(world.prune({}).empty());

    const auto baked = world.bake(plan);
    CHECK(baked.id == plan.id);
    CHECK(baked.variables == Variables{{"A", "ä\n\"x"}, {"B", ""}});
    CHECK(baked.project == "atlas");
    CHECK(world.bake(plan) == baked);
    CHECK(find_baked(paths, plan) == baked);
    CHECK(find(paths, plan.id) == baked);
    CHECK(is_whole(paths, plan.id));
    CHECK(list(paths).size() == 1);
    CHECK_FALSE(find(paths, "../" + plan.id));

    SECTION("what a killed build left is swept") {
        std::filesystem::create_directories(paths.environments() / ".tmp-1-0123");
        std::filesystem::create_directories(paths.environments() / "layers/.tmp-1-0123/scratch");
        world.bake(plan_with({}));
        CHECK_FALSE(std::filesystem::exists(paths.environments() / ".tmp-1-0123"));
        CHECK_FALSE(std::filesystem::exists(paths.environments() / "layers/.tmp-1-0123"));
        CHECK(list(paths).size() == 2);
        CHECK(world.prune({plan.id}).size() == 1);
        CHECK(find_baked(paths, plan));
    }
    SECTION("baked anew it is another one, and the first stays for those who use it") {
        const auto anew = world.bake(plan, true);
        CHECK(anew.id != baked.id);
        CHECK(find_baked(paths, plan)->id == anew.id);
        CHECK(find(paths, baked.id));
        CHECK(world.prune({baked.id}) == std::vector<std::string>{anew.id});
        CHECK(find_baked(paths, plan)->id == baked.id);
    }
    SECTION("layers go with the last environment that needs them") {
        std::filesystem::create_directories(paths.environments() / "layers/abc");
        std::ofstream(paths.environments() / "layers/abc/layer.json")
            << R"({"version": 1, "title": "t", "opt": true, "venv": "part", "work": [], "size": 1, "milliseconds": 2})";
        CHECK(read_layer(paths, "abc")->venv == VenvPart::part);
        auto other = *find(paths, plan.id);
        other.layers = {"abc"};
        std::filesystem::create_directories(paths.environments() / "abcd");
        write_baked(paths.environments() / "abcd", other);
        world.prune({"abcd"});
        CHECK(is_whole(paths, "abcd"));
        world.prune({});
        CHECK_FALSE(std::filesystem::exists(paths.environments() / "layers/abc"));
    }
    SECTION("while one is held nothing is pruned") {
        const auto held = hold(paths);
        CHECK(world.prune({}).empty());
        CHECK(find_baked(paths, plan));
    }
    SECTION("of a newer scad it is refused") {
        std::ofstream(paths.environments() / plan.id / "environment.json") << R"({"version": 99})";
        CHECK_THROWS_WITH(find(paths, plan.id), Catch::Contains("newer"));
        CHECK(list(paths).empty());
    }
}

TEST_CASE("builds that race make an environment once") {
    BakingWorld world;
    const auto plan = plan_with({{"A", "1"}});
    std::vector<std::thread> builds;
    builds.reserve(8);
    for (int i = 0; i < 8; ++i) builds.emplace_back([&] { world.bake(plan); });
    for (auto& build : builds) build.join();
    CHECK(find_baked(world.paths, plan));
    CHECK(list(world.paths).size() == 1);
    for (const auto& entry : std::filesystem::directory_iterator(world.paths.environments()))
        CHECK_FALSE(entry.path().filename().native().starts_with(".tmp-"));
}
