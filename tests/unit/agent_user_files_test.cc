// What of the user's own goes into a session's home, and what never does.
#include "agent/user_files.h"

#include "agent/mcp.h"
#include "base/error.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>

using namespace scad;
namespace fs = std::filesystem;

namespace {

class World {
  public:
    World() {
        scratch.file("home/.claude/CLAUDE.md", "memory");
        scratch.file("home/.claude/extra.md", "more");
        scratch.file("home/.claude/skills/s/SKILL.md", "skill");
        scratch.file("home/.claude/.credentials.json", "secret");
        scratch.file("home/.claude/history.jsonl", "history");
        scratch.file("home/.claude/projects/p/1.jsonl", "history");
        scratch.file("home/.claude/plugins/repo/.git/config", "token");
        scratch.file("home/.claude/plugins/installed_plugins.json",
                     "{\"installPath\": \"" + (scratch / "home/.claude/plugins/cache/x").native() + "\"}");
        scratch.file(
            "home/.claude/settings.json",
            R"({"hooks": {"Stop": []}, "model": "opus", "apiKeyHelper": "x", "enabledPlugins": {"a": true}})");
        scratch.file("home/notes/n.md", "notes");
        fs::create_directory(scratch / "target");
    }
    std::vector<agent::UserFile> copy(const std::optional<std::vector<agent::ChosenFile>>& chosen = {}) {
        return agent::copy_user_files(claude, chosen, {variables, scratch / "home"}, scratch / "target");
    }
    agent::ChosenFile choose(const std::string& name) {
        return {scratch / name, fs::weakly_canonical(scratch / name)};
    }
    std::string text(const std::string& name) {
        return base::read_if_exists(scratch / ("target/" + name)).value_or("(none)");
    }

    Scratch scratch;
    agent::Agent claude = agent::find_agent("claude");
    base::Variables variables{{}};
};

std::vector<std::string> targets(const std::vector<agent::UserFile>& files) {
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& file : files) names.push_back(file.target);
    return names;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("by default memory, skills and plugins, and the settings that run nothing") {
    World world;
    CHECK(targets(world.copy()) ==
          Names{".claude/CLAUDE.md", ".claude/extra.md", ".claude/plugins", ".claude/skills"});
    CHECK(world.text(".claude/CLAUDE.md") == "memory");
    CHECK(world.text(".claude/skills/s/SKILL.md") == "skill");
    CHECK(world.text(".claude/.credentials.json") == "(none)");
    CHECK(world.text(".claude/history.jsonl") == "(none)");
    CHECK(world.text(".claude/plugins/repo/.git/config") == "(none)");
    CHECK(world.text(".claude/plugins/installed_plugins.json") ==
          R"({"installPath": "/home/agent/.claude/plugins/cache/x"})");
    const auto settings = world.text(".claude/settings.json");
    CHECK(settings.find("\"model\": \"opus\"") != std::string::npos);
    CHECK(settings.find("enabledPlugins") != std::string::npos);
    CHECK(settings.find("skipDangerousModePermissionPrompt") != std::string::npos);
    CHECK(settings.find("hooks") == std::string::npos);
    CHECK(settings.find("apiKeyHelper") == std::string::npos);
    CHECK(world.text(".claude.json").find("hasCompletedOnboarding") != std::string::npos);
}

TEST_CASE("where the user has it elsewhere") {
    World world;
    fs::rename(world.scratch / "home/.claude", world.scratch / "elsewhere");
    world.variables = base::Variables({"CLAUDE_CONFIG_DIR=" + (world.scratch / "elsewhere").native()});
    CHECK(targets(world.copy()).size() == 4);
    CHECK(world.text(".claude/CLAUDE.md") == "memory");
}

TEST_CASE("a link is not followed unless its real path was chosen") {
    World world;
    fs::remove(world.scratch / "home/.claude/CLAUDE.md");
    fs::create_symlink("../notes/n.md", world.scratch / "home/.claude/CLAUDE.md");
    const auto files = world.copy();
    REQUIRE(files.front().target == ".claude/CLAUDE.md");
    CHECK(files.front().problem.starts_with("it is a link to '"));
    CHECK(world.text(".claude/CLAUDE.md") == "(none)");

    auto chosen = world.choose("home/.claude/CLAUDE.md");
    CHECK(world.copy(std::vector{chosen}).front().problem.empty());
    CHECK(world.text(".claude/CLAUDE.md") == "notes");

    // It leads elsewhere since it was approved.
    World other;
    fs::create_symlink("notes", other.scratch / "home/link");
    chosen = other.choose("home/notes/n.md");
    fs::rename(other.scratch / "home/notes", other.scratch / "home/moved");
    fs::create_symlink("moved", other.scratch / "home/notes");
    CHECK_THROWS_AS(other.copy(std::vector{chosen}), Error);
}

TEST_CASE("what is chosen goes instead of the default, and credentials never do") {
    World world;
    CHECK(targets(world.copy(std::vector{world.choose("home/notes")})) == Names{"notes"});
    CHECK(world.text("notes/n.md") == "notes");
    CHECK(world.text(".claude/CLAUDE.md") == "(none)");
    CHECK(world.text(".claude/settings.json").find("opus") == std::string::npos);

    World whole;
    whole.copy(std::vector{whole.choose("home/.claude")});
    CHECK(whole.text(".claude/CLAUDE.md") == "memory");
    CHECK(whole.text(".claude/.credentials.json") == "(none)");
    CHECK(whole.text(".claude/projects/p/1.jsonl") == "(none)");
    CHECK(whole.text(".claude/settings.json").find("hooks") == std::string::npos);

    World bad;
    CHECK_THROWS_WITH(bad.copy(std::vector{bad.choose("home/.claude/.credentials.json")}),
                      Catch::Contains("never goes into a session"));
    CHECK_THROWS_WITH(bad.copy(std::vector{bad.choose("home/.claude/projects/p")}),
                      Catch::Contains("never goes into a session"));
    CHECK_THROWS_WITH(bad.copy(std::vector{bad.choose("target")}),
                      Catch::Contains("does not lie in your home"));
    CHECK_THROWS_WITH(bad.copy(std::vector{bad.choose("home")}),
                      Catch::Contains("does not lie in your home"));
    CHECK(world.copy(std::vector<agent::ChosenFile>{}).empty());
}

TEST_CASE("MCP servers: names and commands in the home, the rest by variables") {
    World world;
    world.scratch.file("home/.claude.json", R"({"oauthAccount": {"id": "me"}, "mcpServers": {
        "zoo": {"command": "npx", "args": ["-y", "${DB:-none}", "${NOT_SET}"], "env": {"TOKEN": "t-secret-1"}},
        "far": {"type": "http", "url": "https://mcp.example.com/x?k=secret", "headers": {"Authorization": "Bearer ${K}"}},
        "other": {"command": "x"}}})");
    world.variables = base::Variables({"K=key"});
    const agent::UserHome user{world.variables, world.scratch / "home"};
    const auto servers = agent::find_mcp_servers(world.claude, {"zoo", "far"}, user);
    CHECK(servers.secrets == std::map<std::string, std::string>{
                                 {"SCAD_MCP_FAR_HEADERS_AUTHORIZATION", "Bearer key"},
                                 {"SCAD_MCP_FAR_URL", "https://mcp.example.com/x?k=secret"},
                                 {"SCAD_MCP_ZOO_ARG_1", "-y"},
                                 {"SCAD_MCP_ZOO_ARG_2", "none"},
                                 {"SCAD_MCP_ZOO_ARG_3", "${NOT_SET}"},
                                 {"SCAD_MCP_ZOO_ENV_TOKEN", "t-secret-1"},
                             });
    CHECK(servers.hosts == Names{"mcp.example.com"});
    CHECK(servers.document.find("secret") == std::string::npos);

    world.copy();
    agent::write_mcp_servers(world.claude, servers, world.scratch / "target");
    const auto text = world.text(".claude.json");
    for (const char* there : {"hasCompletedOnboarding", "${SCAD_MCP_ZOO_ENV_TOKEN}", "npx", "\"far\""})
        CHECK(text.find(there) != std::string::npos);
    for (const char* not_there : {"oauthAccount", "secret", "other"})
        CHECK(text.find(not_there) == std::string::npos);

    CHECK_THROWS_WITH(agent::find_mcp_servers(world.claude, {"zooo"}, user),
                      Catch::Contains("you have no MCP server 'zooo'"));
    CHECK_THROWS_WITH(agent::find_mcp_servers(agent::find_agent("command"), {"zoo"}, user),
                      Catch::Contains("takes no MCP servers"));
    CHECK(agent::find_mcp_servers(world.claude, {}, user).secrets.empty());
}
