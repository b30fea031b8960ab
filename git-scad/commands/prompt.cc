#include "commands/prompt.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/process.h"
#include "base/suggest.h"
#include "base/text.h"
#include "commands/options.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

namespace scad::commands {
namespace {

constexpr std::size_t prompt_limit = std::size_t{4} << 20;
constexpr std::string_view scissors = " ------------------------ >8 ------------------------";

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '-'; }

// The name in "{name}" at `at`; empty: none is there.
std::string_view name_at(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    if (end >= text.size() || !starts_name(text[end])) return {};
    while (end < text.size() && continues_name(text[end])) ++end;
    if (end >= text.size() || text[end] != '}') return {};
    return text.substr(at + 1, end - at - 1);
}

char comment_character(const base::Settings& settings) {
    const auto setting = settings.get("core.commentchar").value_or("#");
    return setting.size() == 1 ? setting.front() : '#';
}

// A file of the user's while it is edited.
class EditedFile {
  public:
    EditedFile(const std::filesystem::path& directory, std::string_view content)
        : path_(directory / ("PROMPT_EDITMSG." + base::random_hex(4) + ".md")) {
        base::make_directories(directory);
        base::replace_file(path_, content, 0600, base::Durability::plain);
    }
    ~EditedFile() { ::unlink(path_.c_str()); }
    EditedFile(const EditedFile&) = delete;
    EditedFile& operator=(const EditedFile&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

std::string from_editor(const base::Context& context, const std::string& about) {
    const base::HostGit git(context.directory, context.variables);
    const auto asked = git.try_run({"var", "GIT_EDITOR"});
    const std::string editor(base::trim(asked.out));
    if (!asked.ok() || editor.empty())
        throw fatal("no prompt was given, and there is no editor to write one")
            .with_hint("give it by -m <text>, -F <file> or -p <prompt-name>");
    const char comment = comment_character(context.settings);
    std::string text = fmt::format("\n{0}{1}\n", comment, scissors);
    for (const auto& line : base::lines(about)) text += fmt::format("{} {}\n", comment, line);
    text += fmt::format(
        "{0} Write the prompt above the line. What is below it is not sent.\n"
        "{0} An empty prompt sends nothing.\n",
        comment);
    const EditedFile file(context.paths.state, text);
    // The setting is a line of shell by git's definition; the file's name is a word of its own.
    base::Command command{.argv = {"/bin/sh", "-c", editor + " \"$@\"", editor, file.path().string()}};
    command.in = base::Stream::inherit();
    command.out = base::Stream::inherit();
    command.err = base::Stream::inherit();
    auto child = base::start(command);
    const int status = child.wait();
    if (status != 0) throw fatal("the editor '{}' {}", editor, base::describe_wait_status(status));
    return strip_editor_text(base::read_file(file.path(), prompt_limit), comment);
}

std::string from_file(const base::Context& context, const std::string& name) {
    if (name == "-") return base::read_all(STDIN_FILENO, prompt_limit, "the prompt");
    const auto path = context.directory / name;
    std::error_code error;
    // "<(…)" of the shell is a pipe.
    if (std::filesystem::is_regular_file(path, error)) return base::read_file(path, prompt_limit);
    const auto fd = base::open_file(path, O_RDONLY);
    return base::read_all(fd.get(), prompt_limit, name);
}

// A file of the docs repo and nothing else: a commit of a session's, once merged, can put a link to any file
// of the user's in its place, whose content would go to the next session.
std::optional<std::string> read_named(const std::filesystem::path& docs_repo, const std::string& name) {
    const auto docs = base::open_if_exists(docs_repo, O_PATH | O_DIRECTORY);
    if (!docs) return std::nullopt;
    try {
        const auto file = base::open_beneath(
            docs->get(), std::filesystem::path(".scad/prompts") / (name + ".md"), O_RDONLY);
        if (!file) return std::nullopt;
        return base::read_all(file->get(), prompt_limit, name);
    } catch (Error& error) {
        error.message = fmt::format("cannot read the prompt '{}': {}", name, error.message);
        error.hint = "a prompt is a file of the docs repo, not a link; -F <file> reads any other";
        throw;
    }
}

std::string from_name(const PromptOptions& options, const std::filesystem::path& docs_repo) {
    const auto directory = docs_repo / ".scad/prompts";
    if (options.name.find('/') != std::string::npos || options.name.starts_with('.'))
        throw usage("'{}' is no prompt's name", options.name);
    const auto text = read_named(docs_repo, options.name);
    if (text) return fill_in(*text, parse_settings(options.settings), options.name);
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        if (at->path().extension() == ".md") names.push_back(at->path().stem().string());
    }
    std::sort(names.begin(), names.end());
    auto problem = fatal("no prompt '{}' in '{}'", options.name, directory.string());
    const auto close = base::nearest(options.name, names, 1);
    if (!close.empty())
        problem.hint = fmt::format("did you mean '{}'?", close.front());
    else if (!names.empty())
        problem.hint = "there are: " + base::join(names, ", ");
    throw Error(problem);
}

} // namespace

void add_prompt(CLI::App& app, PromptOptions& options) {
    add_option(app, "-m,--message", "<text>", options.messages, "the prompt; several become paragraphs");
    add_option(app, "-F,--file", "<file>", options.file,
               "read the prompt from a file, '-' is standard input");
    add_option(app, "-p,--prompt", "<name>", options.name,
               "the prompt .scad/prompts/<name>.md of the docs repo");
    add_option(app, "--set", "<name>=<value>", options.settings, "fill in {name} of that prompt");
}

bool has_prompt(const PromptOptions& options) {
    return options.text || !options.messages.empty() || !options.file.empty() || !options.name.empty();
}

void check_prompt(const PromptOptions& options) {
    std::vector<std::string> sources;
    if (options.text) sources.emplace_back("a prompt as argument");
    if (!options.messages.empty()) sources.emplace_back("-m");
    if (!options.file.empty()) sources.emplace_back("-F");
    if (!options.name.empty()) sources.emplace_back("-p");
    if (sources.size() > 1) throw usage("{} exclude each other", base::join(sources, " and "));
    if (!options.settings.empty() && options.name.empty()) throw usage("--set goes with -p");
    parse_settings(options.settings);
}

Prompt read_prompt(const base::Context& context, const PromptOptions& options,
                   const std::filesystem::path& docs_repo, const std::string& about) {
    check_prompt(options);
    if (options.text) return {*options.text, "argument"};
    if (!options.messages.empty()) return {base::join(options.messages, "\n\n"), "-m"};
    if (!options.file.empty()) return {from_file(context, options.file), "-F " + options.file};
    if (!options.name.empty()) return {from_name(options, docs_repo), "-p " + options.name};
    Prompt prompt{from_editor(context, about), "editor"};
    if (prompt.text.empty()) throw no("nothing was sent: the prompt is empty");
    return prompt;
}

std::map<std::string, std::string> parse_settings(const std::vector<std::string>& words) {
    std::map<std::string, std::string> values;
    for (const auto& word : words) {
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const bool good = equals != std::string::npos && !name.empty() && starts_name(name.front()) &&
                          std::all_of(name.begin(), name.end(), continues_name);
        if (!good) throw usage("--set wants <name>=<value>, not '{}'", word);
        if (!values.emplace(name, word.substr(equals + 1)).second)
            throw usage("--set gives '{}' twice", name);
    }
    return values;
}

std::string fill_in(const std::string& text, const std::map<std::string, std::string>& values,
                    const std::string& prompt_name) {
    std::string filled;
    std::set<std::string> used;
    std::vector<std::string> missing;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '{') {
            filled += text[at];
            continue;
        }
        const auto inner = text.compare(at, 2, "{{") == 0 ? name_at(text, at + 1) : std::string_view{};
        if (!inner.empty() && text.compare(at + 2 + inner.size(), 2, "}}") == 0) {
            filled += fmt::format("{{{}}}", inner);
            at += inner.size() + 3;
            continue;
        }
        const auto name = name_at(text, at);
        if (name.empty()) {
            filled += text[at];
            continue;
        }
        const auto value = values.find(std::string(name));
        if (value != values.end()) {
            filled += value->second;
            used.insert(value->first);
        } else if (std::find(missing.begin(), missing.end(), name) == missing.end()) {
            missing.emplace_back(name);
        }
        at += name.size() + 1;
    }
    if (!missing.empty()) {
        std::vector<std::string> options;
        options.reserve(missing.size());
        for (const auto& name : missing) options.push_back("--set " + name + "=…");
        throw fatal("prompt '{}' has places that are not filled: {}", prompt_name, base::join(missing, ", "))
            .with_hint("-p {} {}", prompt_name, base::join(options, " "));
    }
    for (const auto& [name, value] : values) {
        if (!used.contains(name)) throw usage("prompt '{}' has no place {{{}}}", prompt_name, name);
    }
    return filled;
}

std::string strip_editor_text(std::string_view text, char comment) {
    const auto line = comment + std::string(scissors);
    std::string kept;
    for (const auto& each : base::lines(text)) {
        if (each == line) break;
        kept += each + "\n";
    }
    const auto trimmed = base::trim(kept);
    return trimmed.empty() ? std::string() : std::string(trimmed) + "\n";
}

} // namespace scad::commands
