// Programs of PATH that sessions do not have, and the line that gives them to one.
#include "base/file.h"
#include "base_scratch.h"
#include "commands/doctor_programs.h"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace scad;
using namespace scad::commands;

namespace {

void make_program(const Scratch& scratch, const std::string& name) {
    std::filesystem::permissions(scratch.file(name), std::filesystem::perms::owner_all);
}

} // namespace

TEST_CASE("commands: programs that sessions do not have") {
    Scratch scratch;
    for (const auto* name : {"a/bin/one", "a/bin/two", "b/two", "b/three", "b/env", "b/self"})
        make_program(scratch, name);
    scratch.file("b/text");
    std::filesystem::create_directory(scratch / "b/directory");
    std::filesystem::create_symlink("nowhere", scratch / "b/dangling");
    std::filesystem::create_symlink("a", scratch / "link");
    const auto a = (scratch / "a/bin").native();
    const auto b = (scratch / "b").native();
    const auto path =
        a + ":/usr/bin:/nowhere::relative:" + b + ":" + (scratch / "link/bin").native() + ":/bin";
    // "two" is found in a first, "env" is one of the host's, and a directory counts once by whatever name.
    CHECK(find_hidden_programs(path, {"self"}) ==
          std::vector<HiddenPrograms>{{a, {"one", "two"}}, {b, {"three"}}});
    CHECK(find_hidden_programs("/usr/bin:/bin", {}).empty());
    CHECK(find_hidden_programs("", {}).empty());
}

TEST_CASE("commands: the line that gives a session programs") {
    const auto remedy = [](const std::string& directory) {
        return explain_hidden({directory, {"a", "b"}}, "/home/u").remedy;
    };
    CHECK(remedy("/home/u/.cargo/bin") == "tools = [\"~/.cargo\"] in [environment] of the project's file");
    CHECK(remedy("/srv/tool/bin") == "tools = [\"/srv/tool\"] in [environment] of the project's file");
    // A home, or what holds keys and state, is shown to nobody for the sake of a program.
    CHECK(remedy("/home/u/bin") == "tools = [\"~/bin\"] in [environment] of the project's file");
    CHECK(remedy("/home/u/.local/bin") ==
          "tools = [\"~/.local/bin\"] in [environment] of the project's file");
    CHECK(remedy("/home/bin") == "tools = [\"/home/bin\"] in [environment] of the project's file");
    CHECK(remedy("/home/u/tools") == "tools = [\"~/tools\"] in [environment] of the project's file");
    CHECK(explain_hidden({"/x/bin", {"1", "2", "3", "4", "5", "6"}}, "/home/u").detail ==
          "not in sessions: 1, 2, 3, 4 and 2 more of /x/bin");
}
