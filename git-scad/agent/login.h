#pragma once

#include "agent/agent.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace scad::agent {

// What a job signs in with: one variable, or none where `variable` is empty. Its value is a secret: in memory
// only, and on its way to the job.
struct Login {
    std::string variable, value;
    std::string source;       // for people: "ANTHROPIC_API_KEY", "scad.claude.tokenCommand", a file
    std::int64_t expires = 0; // Unix seconds; 0: not known
};

// What is looked at.
struct LoginHost {
    const base::Variables& variables; // the caller's
    std::filesystem::path home;
    // The command line of the agent's token setting; empty: not set. Asked when it comes to that.
    std::function<std::optional<std::string>()> token_command;
    std::int64_t now = 0; // Unix seconds
};

// The first of these that is there, of all (`mode` "auto") or of one kind: a credential of the caller's
// environment ("environment"), what the command of the token setting prints ("command"; run by sh in the
// home), the access token of the agent's own sign-in on the host ("host"; of that file nothing else is taken,
// no refresh token in particular). "none", and an agent without credentials: no login. Fatal, with what to
// do: none is there, the command fails or prints no token, the sign-in has expired.
Login find_login(const Agent& agent, std::string_view mode, const LoginHost& host);

} // namespace scad::agent
