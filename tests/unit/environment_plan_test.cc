#include "environment/layers.h"
#include "environment/plan.h"

#include <catch2/catch.hpp>

using namespace scad;
using namespace scad::environment;
using Strings = std::vector<std::string>;

namespace {

project::Project project_with(std::map<std::string, std::string> env) {
    project::Project project;
    project.name = "atlas";
    project.repos.emplace_back().name = "code";
    project.environment.env = std::move(env);
    return project;
}

// A project with Python and two steps of setup, and what belongs to it.
struct Whole {
    project::Project project = project_with({{"A", "1"}});
    Facts facts;
    Whole() {
        auto& python = project.environment.python.emplace();
        python.requirements = {"code/requirements.txt"};
        python.editable = {"code"};
        project.environment.setup = {{"npm ci --prefix code", {"code/package.json"}, {}},
                                     {"make -C code", {"code/Makefile"}, {}}};
        facts.tools = {{"/home/u/node", "/data/node", "/home/u/node/bin", true}};
        auto& known = facts.python.emplace();
        known.interpreter = "/usr/bin/python3";
        known.identity = "/usr/bin/python3.11 1 2";
        known.requirements.inputs["code"] = {{"requirements.txt", "100644", "aa"}};
        known.requirements.directory = "/work/code";
        known.editable["code"] = {{"pyproject.toml", "100644", "bb"}};
        facts.setup = {{{"code", {{"package.json", "100644", "cc"}}}},
                       {{"code", {{"Makefile", "100644", "dd"}}}}};
    }
    Plan plan() const { return plan_environment(project, facts); }
    Strings ids() const {
        Strings ids;
        for (const Step& step : plan().steps) ids.push_back(step.id);
        return ids;
    }
};

// How many of the first steps are the same.
std::size_t same(const Strings& one, const Strings& other) {
    REQUIRE(one.size() == other.size());
    std::size_t count = 0;
    while (count < one.size() && one[count] == other[count]) ++count;
    for (std::size_t i = count; i < one.size(); ++i) CHECK(one[i] != other[i]);
    return count;
}

} // namespace

TEST_CASE("a plan's id depends on what is baked and on nothing else") {
    const auto one = plan_environment(project_with({{"A", "1"}, {"B", "2"}}), {});
    auto other = project_with({{"B", "2"}, {"A", "1"}});
    other.name = "other";
    other.limits.pids = 10;
    other.environment.network = project::NetworkMode::none;
    CHECK(plan_environment(other, {}).id == one.id);
    CHECK(one.id.size() == 40);
    CHECK(one.steps.empty());
    CHECK(plan_environment(project_with({{"A", "2"}, {"B", "2"}}), {}).id != one.id);
    CHECK(plan_environment(project_with({{"A", "1"}}), {}).id != one.id);
    CHECK(plan_environment(project_with({{"A", "1\",\"B\":\"2"}}), {}).id != one.id);
    // Sessions name their environment by it: it may only change together with the format's version.
    CHECK(plan_environment(project_with({}), {}).id == "eb5ef9f56399e46312ebc5df33a1fcd3335ab573");
}

TEST_CASE("only the steps after a change have other ids") {
    const Whole before;
    Whole after;
    CHECK(same(before.ids(), after.ids()) == 5);
    SECTION("an input of the last step") {
        after.facts.setup[1]["code"][0].id = "ee";
        CHECK(same(before.ids(), after.ids()) == 4);
    }
    SECTION("its mode") {
        after.facts.setup[1]["code"][0].mode = "100755";
        CHECK(same(before.ids(), after.ids()) == 4);
    }
    SECTION("a command") {
        after.project.environment.setup[0].run += " ";
        CHECK(same(before.ids(), after.ids()) == 3);
    }
    SECTION("the metadata of an editable package") {
        after.facts.python->editable["code"][0].id = "ee";
        CHECK(same(before.ids(), after.ids()) == 2);
    }
    SECTION("a requirement file") {
        after.facts.python->requirements.inputs["code"][0].id = "ee";
        CHECK(same(before.ids(), after.ids()) == 1);
    }
    SECTION("the host's Python") {
        after.facts.python->identity = "/usr/bin/python3.12 1 2";
        CHECK(same(before.ids(), after.ids()) == 0);
    }
    SECTION("a variable") {
        after.project.environment.env["A"] = "2";
        CHECK(same(before.ids(), after.ids()) == 0);
    }
    SECTION("tools") {
        after.facts.tools[0].source = "/data/other";
        CHECK(same(before.ids(), after.ids()) == 0);
    }
    SECTION("where packages come from is no part of what they are") {
        after.project.environment.network_allow = {"pypi.example.org"};
        CHECK(same(before.ids(), after.ids()) == 5);
    }
}

TEST_CASE("a job finds the virtual environment before the tools") {
    CHECK(Whole().plan().variables == Variables{{"A", "1"},
                                                {"PATH", "/opt/scad/venv/bin:/home/u/node/bin"},
                                                {"VIRTUAL_ENV", "/opt/scad/venv"}});
    CHECK(plan_environment(project_with({}), {}).variables.empty());
}

TEST_CASE("where pip wants hashes, a package in editable form is installed without them") {
    Whole whole;
    const auto editable = [&] { return whole.plan().steps[2].argv; };
    CHECK(editable() == Strings{"/opt/scad/venv/bin/python", "-m", "pip", "install", "--no-input",
                                "--disable-pip-version-check", "--progress-bar", "off", "-r",
                                "/work/code/requirements.txt", "-e", "/work/code"});
    whole.facts.python->requirements.hashes = true;
    whole.facts.python->requirements.options = {"--index-url", "https://pypi.example.org/simple"};
    CHECK(editable() == Strings{"/opt/scad/venv/bin/python", "-m", "pip", "install", "--no-input",
                                "--disable-pip-version-check", "--progress-bar", "off", "--no-deps",
                                "--index-url", "https://pypi.example.org/simple", "-e", "/work/code"});
}

TEST_CASE("baking may reach what its steps need, unless the project says what") {
    Whole whole;
    CHECK(whole.plan().hosts == Strings{"@npm", "@python"});
    whole.facts.python->requirements.addresses = {"https://pypi.example.org/simple", "http://127.0.0.1:80/x",
                                                  "x"};
    CHECK(whole.plan().hosts == Strings{"127.0.0.1:80", "@npm", "@python", "pypi.example.org"});
    whole.project.environment.network_allow = {"mirror.example.org"};
    CHECK(whole.plan().hosts == Strings{"mirror.example.org"});
    auto words = [](const std::string& run) {
        auto project = project_with({});
        project.environment.setup = {{run, {}, {}}};
        return needed_hosts(project.environment, {});
    };
    CHECK(words("make").empty());
    CHECK(words("cd code && pip3 install x") == Strings{"@python"});
    CHECK(words("(npx tsc;yarn)") == Strings{"@npm"});
    CHECK(words("./npm-like").empty());
}

TEST_CASE("a package in editable form depends on its metadata and its layout") {
    const std::vector<InputFile> all = {
        {"pkg/README.md", "100644", "1"},        {"pkg/pyproject.toml", "100644", "2"},
        {"pkg/setup.py", "100755", "3"},         {"pkg/src/a/__init__.py", "100644", "4"},
        {"pkg/src/a/version.py", "100644", "5"}, {"pkg/src/a/b/__init__.py", "100644", "6"},
        {"pkg/src/a/b/code.py", "100644", "7"},  {"pkg/src/a/c/code.py", "100644", "8"},
        {"pkg/src/a/data.json", "100644", "9"},  {"pkg/docs/x.md", "100644", "10"},
        {"pkg2/other.py", "100644", "11"},
    };
    CHECK(package_layout(all, "pkg") == std::vector<InputFile>{
                                            {"pkg/README.md", "100644", "1"},
                                            {"pkg/pyproject.toml", "100644", "2"},
                                            {"pkg/setup.py", "100755", "3"},
                                            {"pkg/src/a/__init__.py", "100644", "4"},
                                            {"pkg/src/a/b", "040000", ""},
                                            {"pkg/src/a/b/__init__.py", "100644", ""},
                                            {"pkg/src/a/c", "040000", ""},
                                            {"pkg/src/a/version.py", "100644", "5"},
                                        });
    CHECK(package_layout({{"a.py", "100644", "1"}, {"b/c.py", "100644", "2"}}, "") ==
          std::vector<InputFile>{{"a.py", "100644", "1"}, {"b", "040000", ""}});
}

TEST_CASE("a session sees /usr, /opt and the tools, and nothing of scad's own there") {
    const std::vector<Tool> tools = {{"/home/u/node", "/data/node", "/home/u/node/bin", true}};
    for (const auto* path :
         {"/usr/bin/python3", "/bin/sh", "/opt/python/bin/python", "/home/u/node/bin/node"})
        CHECK(is_visible(path, tools));
    for (const auto* path :
         {"/home/u/nodes", "/data/node/bin/node", "/opt/scad/venv/bin/python", "/usrx", "/etc/x"})
        CHECK_FALSE(is_visible(path, tools));
}

TEST_CASE("merged inputs have each file once, with its content where it is known") {
    std::vector<InputFile> files = {{"a", "100644", "1"}, {"b/__init__.py", "100644", "2"}};
    merge(files, {{"b", "040000", ""}, {"b/__init__.py", "100644", ""}, {"a", "100644", "1"}});
    CHECK(files == std::vector<InputFile>{
                       {"a", "100644", "1"}, {"b", "040000", ""}, {"b/__init__.py", "100644", "2"}});
}

TEST_CASE(
    "layers are stacked the newest on top, and one that replaces the virtual environment hides the others") {
    const auto layer = [](std::string id, VenvPart venv, Strings work) {
        Layer one;
        one.id = std::move(id);
        one.opt = venv != VenvPart::none;
        one.venv = venv;
        one.work = std::move(work);
        return one;
    };
    const auto first = layer("a1", VenvPart::part, {});
    const auto second = layer("a2", VenvPart::part, {"code"});
    const auto third = layer("a3", VenvPart::none, {"code", "docs"});
    auto parts = stack({first, second, third}, {});
    CHECK(parts.opt == Strings{"a2", "a1"});
    CHECK(parts.venv == Strings{"a2", "a1"});
    CHECK(parts.work == std::map<std::string, Strings>{{"code", {"a3", "a2"}}, {"docs", {"a3"}}});
    CHECK(stack({first, layer("a4", VenvPart::whole, {}), second}, {}).venv == Strings{"a2", "a4"});
    CHECK(stack({first, layer("a4", VenvPart::gone, {}), second}, {}).venv == Strings{"a2"});
    CHECK(stack({first, layer("a4", VenvPart::gone, {})}, {}).venv.empty());
    CHECK_FALSE(stack({}, {}).used());
}
