#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scad::agent {

enum class PromptVia { standard_input, argument };

// How an agent is run: data, from a preset (TOML). In command lines "{prompt}", "{model}" and
// "{conversation}" stand alone as words; a group of words with an empty value is left out.
struct Agent {
    std::string name;                      // "claude"
    std::string title;                     // "Claude Code"
    std::string program;                   // looked up on the caller's PATH; empty: none (agent "command")
    std::string install;                   // the command that gets it
    std::vector<std::string> version_argv; // {"--version"}
    std::vector<std::string> headless;     // after the program
    std::vector<std::string> model;        // added with a model: {"--model", "{model}"}
    std::vector<std::string> resume; // added to go on with a conversation: {"--resume", "{conversation}"}
    PromptVia prompt = PromptVia::standard_input;
    std::map<std::string, std::string> env; // set for each job
    std::vector<std::string>
        credentials; // names, one of which must be set in the caller's environment: passed on
    std::vector<std::string> pass_env; // names passed on when the caller has them (ANTHROPIC_BASE_URL …)
    std::string login_help;            // what to do when no credential is there
    std::vector<std::string> hosts;    // added to the session's allow list
    std::map<std::string, std::string>
        files;                   // path below the home -> content, written before each job when missing
    std::string reader = "text"; // which EventReader
    bool operator==(const Agent&) const = default;
};

// A built-in agent by name ("claude", "command"). Fatal: unknown (nearest names), or one that this build does
// not have yet ("codex" …).
Agent find_agent(const std::string& name);
std::vector<std::string> agent_names();

// What a job of this agent runs. Pure.
struct JobCommand {
    std::vector<std::string> argv;        // argv[0] as given by `program`
    std::string input;                    // for standard input
    std::vector<std::string> environment; // "NAME=value" of the agent's own, without secrets
};
struct JobInput {
    std::string program; // path inside the sandbox
    std::string prompt;
    std::vector<std::string> command; // for agent "command": the argv itself
    std::string model;
    std::string conversation; // empty: a new one
};
JobCommand make_command(const Agent& agent, const JobInput& input);

// Which of the caller's variables a job gets: credentials (one at least, else fatal with login_help),
// pass_env and the project's own names (a missing one of these is fatal with its name).
std::vector<std::string> secret_names(const Agent& agent, const std::vector<std::string>& project_names,
                                      const std::vector<std::string>& caller_environment);

} // namespace scad::agent
