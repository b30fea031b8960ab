#pragma once

#include "base/context.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace scad::commands {

// Where a prompt comes from, as given on the command line: at most one of the sources.
struct PromptOptions {
    std::optional<std::string> text;   // the argument
    std::vector<std::string> messages; // -m, joined by blank lines as `git commit` does
    std::string file;                  // -F; "-": standard input
    std::string name;                  // -p: .scad/prompts/<name>.md of the docs repo
    std::vector<std::string> settings; // --set <name>=<value>
};
void add_prompt(CLI::App& app, PromptOptions& options);

struct Prompt {
    std::string text;
    std::string source; // "-m", "-F plan.md", "-p fix", "editor"
};

// Whether any source was given. Pure.
bool has_prompt(const PromptOptions& options);
// Error::usage unless at most one source was given and --set goes with -p. Pure.
void check_prompt(const PromptOptions& options);

// The prompt; without a source, from the user's editor. `about` is shown in the editor. `docs_repo` is where
// named prompts are looked up. Fatal: unreadable file, unknown name (the nearest), missing or unknown
// parameters. Error::no: the editor left nothing.
Prompt read_prompt(const base::Context& context, const PromptOptions& options,
                   const std::filesystem::path& docs_repo, const std::string& about);

// "k=v" words as a map. Error::usage when one is malformed or given twice. Pure.
std::map<std::string, std::string> parse_settings(const std::vector<std::string>& words);
// `text` with each {name} replaced; "{{" and "}}" around a name stand for one brace each. Fatal when a name
// has no value, Error::usage when a value has no place. Pure.
std::string fill_in(const std::string& text, const std::map<std::string, std::string>& values,
                    const std::string& prompt_name);
// What the editor left: all above the scissors line, without blank lines around it. Pure.
std::string strip_editor_text(std::string_view text, char comment);

} // namespace scad::commands
