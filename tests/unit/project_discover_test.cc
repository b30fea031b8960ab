#include "project/discover.h"
#include "project_world.h"

#include <catch2/catch.hpp>

using namespace scad;

namespace {

std::vector<std::string> names_of(const std::vector<project::Known>& known) {
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const auto& project : known) names.push_back(project.name);
    return names;
}

} // namespace

TEST_CASE("projects are found by standing in their docs repo and by scad.docs") {
    ProjectWorld world;
    using Names = std::vector<std::string>;
    world.write("docs/.scad/atlas.toml", "[repos.code]\npath = \"../code\"\n");
    world.write("docs/.scad/atlas.local.toml", "");
    world.write("docs/.scad/Not a name.toml", "");
    world.write("docs/.scad/notes.md", "");
    world.write("docs/.scad/agents/mine.toml", "");
    std::filesystem::create_directories(world.top / "docs/deep/er");
    auto docs = (world.top / "docs").native();

    auto outside = world.stand_in(world.top / "plain");
    CHECK(project::known_projects(outside).empty());
    CHECK_THROWS_WITH(project::find_project({}, outside), "there is no project yet");

    auto inside = world.stand_in(world.top / "docs/deep/er");
    CHECK(names_of(project::known_projects(inside)) == Names{"atlas"});
    auto found = project::find_project({}, inside);
    CHECK(found.name == "atlas");
    CHECK(found.docs_repo == docs);
    CHECK(found.file == docs + "/.scad/atlas.toml");

    auto registered = world.stand_in(world.top / "plain", {"~/../docs", docs, "/nowhere", ""});
    CHECK(names_of(project::known_projects(registered)) == Names{"atlas"});
    CHECK(project::find_project("atlas", registered).docs_repo == docs);
    try {
        project::find_project("atlsa", registered);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.message == "there is no project 'atlsa'");
        CHECK(error.hint == "did you mean 'atlas'? `git scad config list` shows all");
    }
    CHECK_THROWS_WITH(project::find_project({}, registered), Catch::Contains("belongs to none"));
}

TEST_CASE("a repo of exactly one known project names it") {
    ProjectWorld world;
    world.write("docs/.scad/atlas.toml", "[repos.code]\npath = \"../code\"\n[repos.docs]\npath = \".\"\n");
    world.write("docs/.scad/broken.toml", "[repos.x\n");
    auto docs = (world.top / "docs").native();

    auto in_code = world.stand_in(world.top / "code/src", {docs});
    CHECK(project::find_project({}, in_code).name == "atlas");

    SECTION("in a linked worktree of it too") {
        world.git({"-C", "code", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty",
                   "-m", "x"});
        world.git({"-C", "code", "worktree", "add", "-q", "../worktree"});
        auto in_worktree = world.stand_in(world.top / "worktree", {docs});
        CHECK(project::find_project({}, in_worktree).name == "atlas");
    }
    SECTION("not a repo of two") {
        world.write("docs/.scad/second.toml", "[repos.code]\npath = \"~/../code\"\n");
        CHECK_THROWS_WITH(project::find_project({}, in_code),
                          "this repo belongs to several projects: atlas, second");
    }
    SECTION("nor a docs repo with several") {
        auto in_docs = world.stand_in(world.top / "docs");
        CHECK_THROWS_WITH(project::find_project({}, in_docs),
                          "this repo has several projects: atlas, broken");
        CHECK(project::find_project("atlas", in_docs).name == "atlas");
    }
    SECTION("the repo one stands in goes before scad.docs") {
        world.write("holds/inner/.scad/atlas.toml", "");
        auto other = (world.top / "holds/inner").native();
        CHECK(project::find_project("atlas", world.stand_in(world.top / "docs", {docs, other})).docs_repo ==
              docs);
        CHECK(project::find_project("atlas", world.stand_in(other, {docs, other})).docs_repo == other);
        CHECK_THROWS_WITH(project::find_project("atlas", world.stand_in(world.top, {docs, other})),
                          Catch::Contains("there are several projects 'atlas'"));
    }
}
