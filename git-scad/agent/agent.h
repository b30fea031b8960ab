#pragma once

#include "base/variables.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scad::agent {

enum class PromptVia { standard_input, argument };

// Where an agent's token comes from when the caller's environment has none of its credentials.
struct TokenSource {
    std::string variable; // what a job gets it as
    std::map<std::string, std::string>
        by_prefix;       // what a job gets it as instead, by how the token begins: "sk-ant-api" -> variable
    std::string setting; // a git setting of the user's, a command line that prints the token
    std::string file;    // the agent's own sign-in on the host: a JSON document, path below the home
    std::vector<std::string> value, expires; // where the token and its end (in milliseconds since 1970) stand
                                             // in it: keys, outermost first
    std::string renew;                       // the command that makes an expired sign-in good again
    bool operator==(const TokenSource&) const = default;
};

// What of the caller's own the home of a session gets a copy of when it starts. All paths are below the home.
struct HomeCopies {
    std::string directory; // the agent's own, and the variable by which the caller may have it elsewhere
    std::string variable;
    std::vector<std::string> copy;          // files and directories; the last part may be a pattern (glob(7))
    std::vector<std::string> rewrite;       // JSON documents that name the directory by its path on the host
    std::vector<std::string> never;         // credentials and history: left out, whatever is copied
    std::string settings;                   // a JSON document,
    std::vector<std::string> settings_keys; // of which these keys are taken: none that runs something
    std::string mcp;                        // a JSON document with the caller's "mcpServers"
    bool operator==(const HomeCopies&) const = default;
};

// How an agent is run: data, from a preset (TOML). In command lines "{prompt}", "{model}", "{conversation}"
// and "{directory}" stand alone as words; a group of words with an empty value is left out.
struct Agent {
    std::string name;                      // "claude"
    std::string title;                     // "Claude Code"
    std::string program;                   // looked up on the caller's PATH; empty: none (agent "command")
    std::string install;                   // the command that gets it
    std::vector<std::string> version_argv; // {"--version"}
    std::vector<std::string> headless;     // after the program
    std::vector<std::string> model;        // added with a model: {"--model", "{model}"}
    std::vector<std::string> directory;    // added for each further directory: {"--add-dir", "{directory}"}
    std::vector<std::string> resume; // added to go on with a conversation: {"--resume", "{conversation}"}
    PromptVia prompt = PromptVia::standard_input;
    std::map<std::string, std::string> env; // set for each job
    std::vector<std::string>
        credentials;   // names: the first that is set in the caller's environment is passed on, and it alone
    TokenSource token; // otherwise
    HomeCopies home;
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
    std::string conversation;                  // empty: a new one
    std::vector<std::string> directories = {}; // what belongs to the work beside the one that it starts in
};
JobCommand make_command(const Agent& agent, const JobInput& input);

// Which of the caller's variables a job gets beside its credentials (login.h): pass_env and the project's own
// names (a missing one of these is fatal with its name).
std::vector<std::string> secret_names(const Agent& agent, const std::vector<std::string>& project_names,
                                      const std::vector<std::string>& caller_environment);

// Where the caller has `path` (below the home) of the agent's own: below `home`, or where the agent's
// variable leads. Pure.
std::filesystem::path host_path(const Agent& agent, const std::string& path,
                                const std::filesystem::path& home, const base::Variables& variables);

} // namespace scad::agent
