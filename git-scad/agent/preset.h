#pragma once

#include "agent/agent.h"

#include <string>
#include <string_view>

namespace scad::agent {

// Reads one agent definition (TOML 1.0). Its keys are those of Agent: title, program, install, version,
// headless, model, directory, resume, prompt ("stdin" or "argument"), credentials, pass_env, login_help,
// hosts, reader, and the tables token, home, env and files. Fatal with all faults of the text at once, each
// as "file:line:col: message" with the line and a caret: unknown keys (with the nearest valid one), wrong
// types, names that are no variable names, paths that leave the home, place-holders that nothing fills.
// `file` is its name for messages. Pure.
Agent parse_preset(const std::string& name, const std::string& file, std::string_view text);

} // namespace scad::agent
