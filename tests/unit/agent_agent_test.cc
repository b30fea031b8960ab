// What a job of an agent runs and which of the caller's variables it gets; presets are read strictly.
#include "agent/agent.h"

#include "agent/preset.h"
#include "base/error.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace scad;
using agent::Agent;
using agent::find_agent;
using Words = std::vector<std::string>;

namespace {

template <class F> std::string message_of(F f) {
    try {
        f();
    } catch (const Error& error) {
        return error.message;
    }
    return "(no error)";
}

bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace

TEST_CASE("the built-in agents") {
    CHECK(agent::agent_names() == Words{"claude", "command"});
    auto claude = find_agent("claude");
    CHECK(claude.title == "Claude Code");
    CHECK(claude.program == "claude");
    CHECK(claude.reader == "claude");
    CHECK(claude.prompt == agent::PromptVia::standard_input);
    CHECK(claude.hosts == Words{"api.anthropic.com"});
    CHECK(claude.env.at("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC") == "1");
    CHECK(claude.files.at(".claude.json") == "{\"hasCompletedOnboarding\": true}\n");
    auto command = find_agent("command");
    CHECK(command.program.empty());
    CHECK(command.reader == "text");

    CHECK(message_of([] { find_agent("codex"); }) ==
          "this build of scad cannot run agent 'codex' yet: it has only 'claude', 'command'");
    try {
        find_agent("cluade");
        FAIL("was found");
    } catch (const Error& error) {
        CHECK(error.message == "no agent named 'cluade': there are 'claude', 'command'");
        CHECK(error.hint == "did you mean 'claude'?");
    }
}

TEST_CASE("command line of claude") {
    auto claude = find_agent("claude");
    auto first = agent::make_command(claude, {"/opt/scad/agents/1/bin/claude", "-fix it\n", {}, "", ""});
    REQUIRE(first.argv.size() > 5);
    CHECK(Words(first.argv.begin(), first.argv.begin() + 6) ==
          Words{"/opt/scad/agents/1/bin/claude", "-p", "--output-format", "stream-json", "--verbose",
                "--dangerously-skip-permissions"});
    CHECK(first.input == "-fix it\n");
    CHECK_FALSE(has(first.argv, "-fix it\n"));
    CHECK_FALSE(has(first.argv, "--model"));
    CHECK_FALSE(has(first.argv, "--resume"));
    CHECK(has(first.environment, "DISABLE_AUTOUPDATER=1"));

    CHECK_FALSE(has(first.argv, "--add-dir"));
    auto wide = agent::make_command(claude, {"claude", "x", {}, "", "", {"/work/docs", "/work/more"}});
    CHECK(Words(wide.argv.end() - 4, wide.argv.end()) ==
          Words{"--add-dir", "/work/docs", "--add-dir", "/work/more"});

    auto next = agent::make_command(claude, {"claude", "more", {}, "opus", "1b2c"});
    CHECK(Words(next.argv.end() - 4, next.argv.end()) == Words{"--model", "opus", "--resume", "1b2c"});
}

TEST_CASE("command line of a plain command, and of other forms") {
    auto command = find_agent("command");
    auto job = agent::make_command(command, {"", "", {"make", "-j2", "a b"}, "", ""});
    CHECK(job.argv == Words{"make", "-j2", "a b"});
    CHECK(job.input.empty());
    CHECK(message_of([&] { agent::make_command(command, {}); }) ==
          "agent 'command' runs a command: give it after '--'");

    Agent other;
    other.name = "other";
    other.program = "other";
    other.prompt = agent::PromptVia::argument;
    other.headless = {"run", "--prompt", "{prompt}", "--json"};
    CHECK(agent::make_command(other, {"p", "say {model}", {}, "", ""}).argv ==
          Words{"p", "run", "--prompt", "say {model}", "--json"});
    CHECK(agent::make_command(other, {"p", "x", {}, "", ""}).input.empty());
    other.headless = {"run"};
    CHECK(agent::make_command(other, {"p", "x", {}, "", ""}).argv == Words{"p", "run", "x"});
    CHECK(message_of([&] {
              agent::make_command(other, {"p", "x", {}, "m", ""});
          }) == "agent 'other' takes no model");
    CHECK(message_of([&] {
              agent::make_command(other, {"p", "x", {}, "", "c"});
          }) == "agent 'other' cannot go on with a conversation");
}

TEST_CASE("which variables a job gets beside its credentials") {
    auto claude = find_agent("claude");
    CHECK(agent::secret_names(claude, {}, {"ANTHROPIC_API_KEY=k", "HOME=/h", "ANTHROPIC_BASE_URL=u"}) ==
          Words{"ANTHROPIC_BASE_URL"});
    CHECK(agent::secret_names(claude, {"WANDB_API_KEY", "ANTHROPIC_API_KEY", "EMPTY"},
                              {"EMPTY=", "WANDB_API_KEY=w", "ANTHROPIC_API_KEY=k"}) ==
          Words{"WANDB_API_KEY", "ANTHROPIC_API_KEY", "EMPTY"});
    CHECK(message_of([&] { agent::secret_names(claude, {"NOT_THERE"}, {"ANTHROPIC_AUTH_TOKEN=t"}); }) ==
          "the project hands 'NOT_THERE' to its jobs, but it is not set here");
    CHECK(agent::secret_names(find_agent("command"), {}, {}).empty());
}

TEST_CASE("where the caller has what is the agent's") {
    auto claude = find_agent("claude");
    base::Variables plain({"HOME=/h"});
    base::Variables moved({"HOME=/h", "CLAUDE_CONFIG_DIR=/m/c"});
    CHECK(agent::host_path(claude, ".claude/skills", "/h", plain) == "/h/.claude/skills");
    CHECK(agent::host_path(claude, ".claude.json", "/h", plain) == "/h/.claude.json");
    CHECK(agent::host_path(claude, ".claude/skills", "/h", moved) == "/m/c/skills");
    CHECK(agent::host_path(claude, ".claude", "/h", moved) == "/m/c");
    CHECK(agent::host_path(claude, ".claude.json", "/h", moved) == "/m/c/.claude.json");
}

TEST_CASE("a preset with all keys") {
    auto read = agent::parse_preset("x", "x.toml", R"(
title = "X"
program = "x"
install = "get x"
version = ["-V"]
headless = ["-p", "{prompt}"]
model = ["-m", "{model}"]
resume = ["-r", "{conversation}"]
directory = ["-d", "{directory}"]
prompt = "argument"
reader = "claude"
credentials = ["X_KEY"]
pass_env = ["X_URL"]
hosts = ["x.org"]
login_help = "set X_KEY"
[token]
variable = "X_TOKEN"
by_prefix = { "x-" = "X_KEY" }
setting = "scad.x.tokenCommand"
file = ".x/sign-in"
value = ["a", "b"]
expires = ["c"]
renew = "x login"
[home]
directory = ".x"
variable = "X_HOME"
copy = [".x/*.md"]
rewrite = [".x/places"]
never = [".x/sign-in"]
settings = ".x/settings"
settings_keys = ["k"]
mcp = ".x/mcp"
[env]
A = "1"
[files]
".x/settings" = "s"
)");
    Agent expected;
    expected.name = "x";
    expected.title = "X";
    expected.program = "x";
    expected.install = "get x";
    expected.version_argv = {"-V"};
    expected.headless = {"-p", "{prompt}"};
    expected.model = {"-m", "{model}"};
    expected.resume = {"-r", "{conversation}"};
    expected.prompt = agent::PromptVia::argument;
    expected.reader = "claude";
    expected.directory = {"-d", "{directory}"};
    expected.credentials = {"X_KEY"};
    expected.token = {"X_TOKEN", {{"x-", "X_KEY"}}, "scad.x.tokenCommand", ".x/sign-in", {"a", "b"},
                      {"c"},     "x login"};
    expected.home = {".x",           "X_HOME",      {".x/*.md"}, {".x/places"},
                     {".x/sign-in"}, ".x/settings", {"k"},       ".x/mcp"};
    expected.pass_env = {"X_URL"};
    expected.hosts = {"x.org"};
    expected.login_help = "set X_KEY";
    expected.env = {{"A", "1"}};
    expected.files = {{".x/settings", "s"}};
    CHECK(read == expected);
}

TEST_CASE("faults of a preset are told all at once, with their place") {
    auto text = message_of([] {
        agent::parse_preset("x", "x.toml",
                            "titel = \"X\"\nprogram = 1\nheadless = [\"a\", 2]\nprompt = \"file\"\n"
                            "model = [\"{conversation}\"]\ncredentials = [\"A-B\"]\n"
                            "[env]\n\"A B\" = \"1\"\n[files]\n\"../x\" = \"\"\n\"/x\" = \"\"\n");
    });
    INFO(text);
    for (const char* part :
         {"x.toml:1:1: unknown key 'titel'; did you mean 'title'?", "x.toml:2:11: 'program' must be a string",
          "x.toml:3:18: 'headless' must be a list of strings",
          "x.toml:4:10: 'prompt' must be 'stdin' or 'argument', not 'file'",
          "x.toml:5:9: nothing fills '{conversation}' in 'model'", "'A-B' is no variable name",
          "'A B' is no variable name", "'../x' is no path below the home",
          "'/x' is no path below the home"}) {
        INFO(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(message_of([] { agent::parse_preset("x", "x.toml", "a = ["); }).starts_with("x.toml:1:"));
}
