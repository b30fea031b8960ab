#include "agent/agent.h"

#include "agent/preset.h"
#include "agent/preset_data.h"
#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace scad::agent {

namespace {

// Agents that project files may already name.
constexpr std::array<std::string_view, 3> later_agents = {"codex", "gemini", "opencode"};

// A word that is a place-holder becomes its value; an empty value drops the word.
void add_words(std::vector<std::string>& argv, const std::vector<std::string>& words, std::string_view holder,
               const std::string& value) {
    for (const auto& word : words) {
        if (word != holder) {
            argv.push_back(word);
        } else if (!value.empty()) {
            argv.push_back(value);
        }
    }
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Whether "NAME=value" is there, with a value that is not empty when `filled`.
bool is_set(const std::vector<std::string>& environment, const std::string& name, bool filled) {
    return std::any_of(environment.begin(), environment.end(), [&](const std::string& entry) {
        return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=' &&
               (!filled || entry.size() > name.size() + 1);
    });
}

} // namespace

std::vector<std::string> agent_names() {
    std::vector<std::string> names;
    for (const auto& preset : builtin_presets()) names.emplace_back(preset.name);
    return names;
}

Agent find_agent(const std::string& name) {
    for (const auto& preset : builtin_presets()) {
        if (preset.name == name) return parse_preset(name, "presets/" + name + ".toml", preset.toml);
    }
    auto names = agent_names();
    auto quoted = "'" + base::join(names, "', '") + "'";
    if (std::find(later_agents.begin(), later_agents.end(), name) != later_agents.end()) {
        throw fatal("this build of scad cannot run agent '{}' yet: it has only {}", name, quoted)
            .with_hint("git config --global scad.agent claude");
    }
    auto near = base::nearest(name, names, 1);
    throw fatal("no agent named '{}': there are {}", name, quoted)
        .with_hint("{}", fmt::format("did you mean '{}'?", near.empty() ? names.front() : near[0]));
}

JobCommand make_command(const Agent& agent, const JobInput& input) {
    JobCommand command;
    for (const auto& [name, value] : agent.env)
        command.environment.push_back(fmt::format("{}={}", name, value));
    if (agent.program.empty()) {
        if (input.command.empty()) {
            throw usage("agent '{}' runs a command: give it after '--'", agent.name);
        }
        command.argv = input.command;
        return command;
    }
    command.argv.push_back(input.program);
    add_words(command.argv, agent.headless, "{prompt}", input.prompt);
    for (const auto& directory : input.directories)
        add_words(command.argv, agent.directory, "{directory}", directory);
    if (!input.model.empty()) {
        if (agent.model.empty()) throw fatal("agent '{}' takes no model", agent.name);
        add_words(command.argv, agent.model, "{model}", input.model);
    }
    if (!input.conversation.empty()) {
        if (agent.resume.empty()) throw fatal("agent '{}' cannot go on with a conversation", agent.name);
        add_words(command.argv, agent.resume, "{conversation}", input.conversation);
    }
    if (agent.prompt == PromptVia::standard_input) {
        command.input = input.prompt;
    } else if (!contains(agent.headless, "{prompt}")) {
        command.argv.push_back(input.prompt);
    }
    return command;
}

std::vector<std::string> secret_names(const Agent& agent, const std::vector<std::string>& project_names,
                                      const std::vector<std::string>& caller_environment) {
    std::vector<std::string> names;
    auto add = [&](const std::string& name) {
        if (!contains(names, name)) names.push_back(name);
    };
    for (const auto& name : agent.pass_env) {
        if (is_set(caller_environment, name, true)) add(name);
    }
    for (const auto& name : project_names) {
        if (!is_set(caller_environment, name, false)) {
            throw fatal("the project hands '{}' to its jobs, but it is not set here", name)
                .with_hint("export {}=…", name);
        }
        add(name);
    }
    return names;
}

std::filesystem::path host_path(const Agent& agent, const std::string& path,
                                const std::filesystem::path& home, const base::Variables& variables) {
    const auto moved = agent.home.variable.empty() ? std::nullopt : variables.get(agent.home.variable);
    if (!moved || moved->empty()) return home / path;
    if (path == agent.home.directory) return *moved;
    // What lies beside the agent's directory otherwise lies in it then.
    const auto inside = agent.home.directory + '/';
    return std::filesystem::path(*moved) / (path.starts_with(inside) ? path.substr(inside.size()) : path);
}

} // namespace scad::agent
