#include "project/load.h"
#include "project/schema.h"
#include "project/show.h"
#include "project/template.h"
#include "project_world.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <map>
#include <set>

using namespace scad;

namespace {

// The keys that scad-project(5) describes, with whether it says "not yet".
std::map<std::string, bool> manual_keys() {
    std::map<std::string, bool> keys;
    std::ifstream in(std::filesystem::path(SCAD_SOURCE_DIR) / "man/scad-project.5.scd");
    std::string line;
    std::string section;
    while (std::getline(in, line)) {
        if (line.starts_with("# ")) section.clear();
        if (line.starts_with("## [")) {
            section = line.substr(line.find_first_not_of('[', 3), std::string::npos);
            section = section.substr(0, section.find(']'));
            if (line.starts_with("## [[")) section += "[]";
            for (const std::string name : {"<name>", "<path>"}) {
                auto at = section.find(name);
                if (at != std::string::npos) section.replace(at, name.size(), "*");
            }
        } else if (!section.empty() && line.starts_with("*") && line.find("* = ") != std::string::npos) {
            auto name = line.substr(1, line.find('*', 1) - 1);
            keys[fmt::format("{}.{}", section, name)] = line.ends_with("(not yet)");
        }
    }
    return keys;
}

bool opens_section(const project::Key& key) { return key.section.empty(); }

} // namespace

TEST_CASE("scad-project(5) describes each key of the schema and no other") {
    auto manual = manual_keys();
    std::map<std::string, bool> schema;
    for (const auto& key : project::schema()) {
        if (!opens_section(key)) schema[project::full_name(key)] = key.lacking;
    }
    CHECK(manual == schema);
}

TEST_CASE("the schema names each key once, with its section and its meaning") {
    std::set<std::string> names;
    std::set<std::string> sections = {""};
    for (const auto& key : project::schema()) {
        INFO(project::full_name(key));
        CHECK(names.insert(project::full_name(key)).second);
        CHECK(sections.contains(std::string(key.section)));
        CHECK_FALSE(key.meaning.empty());
        CHECK((key.type == project::Type::choice) == !key.words.empty());
        sections.insert(project::subsection(key));
    }
}

TEST_CASE("what is shown are the keys of the schema in their order") {
    project::Project project;
    project.repos.push_back({"a", "/a", "", "", {}, {}});
    project.mounts.push_back({"/d", "/d", project::MountMode::ro, {}});
    project.environment.python = project::Python{};
    project.environment.setup.push_back({"x", {}, {}});
    project.triggers.push_back({"push", "a", "new", "x", {}, {}, {}});
    auto document = project::to_document(project);
    std::vector<std::string> shown;
    for (const auto& top : document.entries) {
        const auto* key = project::find_key("", top.key);
        REQUIRE(key != nullptr);
        auto section = project::subsection(*key);
        const auto* node = &top.value;
        if (key->type == project::Type::named_tables) node = &top.value.entries.at(0).value;
        if (key->type == project::Type::tables) node = &top.value.items.at(0);
        for (const auto& entry : node->entries) {
            shown.push_back(section + "." + entry.key);
            const auto* inner = &entry.value;
            if (entry.key == "setup") inner = &entry.value.items.at(0);
            if (entry.key != "setup" && entry.key != "python") continue;
            for (const auto& leaf : inner->entries) {
                shown.push_back(project::subsection(*project::find_key(section, entry.key)) + "." + leaf.key);
            }
        }
    }
    std::vector<std::string> expected;
    for (const auto& key : project::schema()) {
        if (!opens_section(key) && project::full_name(key) != "repos.*.url")
            expected.push_back(project::full_name(key));
    }
    CHECK(shown == expected);
}

TEST_CASE("shown values read back") {
    CHECK(project::size_text(0) == "0");
    CHECK(project::size_text(1536) == "1536");
    CHECK(project::size_text(std::uint64_t{1536} << 20) == "1536MiB");
    CHECK(project::size_text(std::uint64_t{16} << 30) == "16GiB");
    CHECK(project::duration_text(std::chrono::seconds(5400)) == "1h30m");
    CHECK(project::duration_text(std::chrono::seconds(45)) == "45s");
    CHECK(project::duration_text(std::chrono::seconds(7200)) == "2h");
    CHECK(project::number_text(4) == "4");
    CHECK(project::number_text(0.5) == "0.5");
    CHECK(project::toml_string("a\"\\\n\t\x1b\xc2\x9b") == R"("a\"\\\n\t\U0000001B\U0000009B")");
}

TEST_CASE("the template is a project without an error") {
    ProjectWorld world;
    project::TemplateInput input{
        "fresh", {{"code", "../code"}, {"docs", "."}}, {(world.top / "plain").native()}};
    world.write("docs/.scad/fresh.toml", project::project_template(input));
    auto context = world.stand_in(world.top);
    auto project = project::load(world.top / "docs", "fresh", context);
    REQUIRE(project.repos.size() == 2);
    CHECK(project.repos[0].path == world.top / "code");
    CHECK(project.repos[1].path == world.top / "docs");
    REQUIRE(project.mounts.size() == 1);
    CHECK(project.mounts[0].source == (world.top / "plain").native());
    CHECK(project.agent.use == "claude");
    CHECK(project.agent.directory == "/work/code");
}

TEST_CASE("the template's mounts get places of their own, whatever the directories are called") {
    auto text = project::project_template(
        {"x", {{"do.cs", "."}}, {"/srv/data", "/tmp/data", "/usr/data", "/tmp/a\"b\n"}});
    CHECK(text.find("[repos.\"do.cs\"]") != std::string::npos);
    CHECK(text.find("[mounts.\"/srv/data\"]\nmode") != std::string::npos);
    CHECK(text.find("[mounts.\"/data/data\"]\nsource = \"/tmp/data\"") != std::string::npos);
    CHECK(text.find("[mounts.\"/data/data-2\"]\nsource = \"/usr/data\"") != std::string::npos);
    CHECK(text.find("[mounts.\"/data/a\\\"b_\"]\nsource = \"/tmp/a\\\"b\\n\"") != std::string::npos);
}
