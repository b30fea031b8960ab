// Which credential a job gets, and that it is one.
#include "agent/login.h"

#include "base/error.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>

using namespace scad;

namespace {

constexpr std::int64_t now = 1'800'000'000;

class Host {
  public:
    Scratch home;
    std::vector<std::string> variables = {"PATH=/usr/bin:/bin"};
    std::optional<std::string> command;

    void sign_in(std::int64_t expires) const {
        home.file(".claude/.credentials.json",
                  fmt::format(R"({{"claudeAiOauth": {{"accessToken": "sk-ant-oat01-host", )"
                              R"("refreshToken": "sk-ant-ort01-host", "expiresAt": {}}}}})",
                              expires * 1000));
    }
    agent::Login find(std::string_view mode = "auto") const {
        const base::Variables given(variables);
        return agent::find_login(agent::find_agent("claude"), mode,
                                 {given, home.path(), [this] { return command; }, now});
    }
    // "NAME=value", or what is wrong.
    std::string told(std::string_view mode = "auto") const {
        try {
            const auto login = find(mode);
            return login.variable + "=" + login.value;
        } catch (const Error& error) {
            return error.message;
        }
    }
};

} // namespace

TEST_CASE("a login is the first of what is there") {
    Host host;
    host.sign_in(now + 3600);
    CHECK(host.told() == "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-host");
    CHECK(host.find().expires == now + 3600);
    CHECK(host.find().source == (host.home / ".claude/.credentials.json").native());
    host.command = "echo sk-ant-oat01-printed";
    CHECK(host.told() == "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-printed");
    host.command = "echo; echo ' sk-ant-api03-printed'";
    CHECK(host.told() == "ANTHROPIC_API_KEY=sk-ant-api03-printed");
    host.variables.emplace_back("ANTHROPIC_AUTH_TOKEN=c");
    CHECK(host.told() == "ANTHROPIC_AUTH_TOKEN=c");
    host.variables.emplace_back("ANTHROPIC_API_KEY=b");
    CHECK(host.told() == "ANTHROPIC_API_KEY=b");
    host.variables.emplace_back("CLAUDE_CODE_OAUTH_TOKEN=");
    CHECK(host.told() == "ANTHROPIC_API_KEY=b");
    host.variables.back() += "a";
    CHECK(host.told() == "CLAUDE_CODE_OAUTH_TOKEN=a");

    // One kind alone.
    CHECK(host.told("environment") == "CLAUDE_CODE_OAUTH_TOKEN=a");
    CHECK(host.told("command") == "ANTHROPIC_API_KEY=sk-ant-api03-printed");
    CHECK(host.told("host") == "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-host");
    CHECK(host.told("none") == "=");
}

TEST_CASE("what is missing is said") {
    Host host;
    CHECK(host.told() ==
          "Claude Code has no credential here: none of CLAUDE_CODE_OAUTH_TOKEN, ANTHROPIC_API_KEY, "
          "ANTHROPIC_AUTH_TOKEN is set, and nobody is signed in on this machine");
    CHECK(host.told("environment") ==
          "Claude Code has no credential here: none of CLAUDE_CODE_OAUTH_TOKEN, ANTHROPIC_API_KEY, "
          "ANTHROPIC_AUTH_TOKEN is set");
    CHECK(host.told("command") ==
          "Claude Code has no credential here: 'scad.claude.tokenCommand' is not set");
    host.home.file(".claude/.credentials.json", "{}"); // signed out
    CHECK(host.told("host") == "Claude Code has no credential here: nobody is signed in on this machine");
    for (const char* broken :
         {"", "[]", "{\"claudeAiOauth\": 1}", "{\"claudeAiOauth\": {\"accessToken\": 1}}",
          "{\"claudeAiOauth\": {\"accessToken\": \"a b\"}}"}) {
        host.home.file(".claude/.credentials.json", broken);
        CHECK(host.told("host") == "Claude Code has no credential here: nobody is signed in on this machine");
    }
}

TEST_CASE("a sign-in that has expired") {
    Host host;
    host.sign_in(now - 7200);
    try {
        host.find();
        FAIL("was taken");
    } catch (const Error& error) {
        CHECK(error.message == "the sign-in of Claude Code on this machine expired 2 hours ago");
        CHECK(error.hint == "claude -p hello");
    }
    host.variables.emplace_back("ANTHROPIC_API_KEY=b"); // nobody asks for it then
    CHECK(host.told() == "ANTHROPIC_API_KEY=b");
}

TEST_CASE("a token command that fails") {
    Host host;
    host.sign_in(now + 3600); // never the next one instead of what was set up
    host.command = "echo 'the vault is locked' >&2; exit 3";
    CHECK(host.told() ==
          "the command of 'scad.claude.tokenCommand' exited with status 3:\nthe vault is locked");
    host.command = "true";
    CHECK(host.told() == "the command of 'scad.claude.tokenCommand' printed no token");
    host.command = "echo two words";
    CHECK(host.told() == "the command of 'scad.claude.tokenCommand' printed no token");
    host.command = "  ";
    CHECK(host.told() == "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-host");
}
