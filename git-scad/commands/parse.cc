#include "commands/parse.h"

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

namespace scad::commands {
namespace {

constexpr std::size_t help_column = 26;

bool belongs_to(const Command& command, std::string_view group) {
    return command.name.starts_with(group) && command.name.substr(group.size()).starts_with(' ');
}

std::vector<std::string> group_names() {
    std::vector<std::string> groups;
    for (const auto& command : all_commands()) {
        const auto space = command.name.find(' ');
        if (space == std::string_view::npos) continue;
        std::string group(command.name.substr(0, space));
        if (std::find(groups.begin(), groups.end(), group) == groups.end())
            groups.push_back(std::move(group));
    }
    return groups;
}

const Command* find_command(std::string_view name) {
    const auto commands = all_commands();
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const auto& command) { return command.name == name; });
    return found == commands.end() ? nullptr : &*found;
}

Error unknown(const std::string& what, const std::string& word, const std::vector<std::string>& close,
              const std::string& help) {
    auto error = usage("'{}' is not {}", word, what);
    if (close.empty()) return std::move(error).with_hint("{} lists them", help);
    std::vector<std::string> full;
    full.reserve(close.size());
    for (const auto& name : close) full.push_back("'" + name + "'");
    return std::move(error).with_hint("did you mean {}?", base::join(full, " or "));
}

std::vector<std::string> first_words() {
    auto names = group_names();
    for (const auto& command : all_commands()) {
        if (command.name.find(' ') == std::string_view::npos) names.emplace_back(command.name);
    }
    return names;
}

// "list" is the verb of several groups: whoever says it alone is reminded of them.
std::vector<std::string> commands_with_verb(std::string_view verb) {
    std::vector<std::string> names;
    for (const auto& command : all_commands()) {
        const auto space = command.name.find(' ');
        if (space != std::string_view::npos && command.name.substr(space + 1) == verb)
            names.emplace_back(command.name);
    }
    return names;
}

std::vector<std::string> verbs_of(const std::string& group) {
    std::vector<std::string> verbs;
    for (const auto& command : all_commands()) {
        if (belongs_to(command, group)) verbs.emplace_back(command.name.substr(group.size() + 1));
    }
    return verbs;
}

// Takes the options before the command's name off the front. False: they said what to do already.
bool take_globals(std::vector<std::string>& arguments, CommandLine& seen) {
    std::size_t at = 0;
    bool help = false;
    for (; at < arguments.size() && arguments[at].starts_with('-') && arguments[at] != "-"; ++at) {
        const auto& word = arguments[at];
        if (word == "-C") {
            if (++at == arguments.size()) throw usage("no directory given for '-C'");
            seen.globals.directories.push_back(arguments[at]);
        } else if (word == "-q" || word == "--quiet") {
            seen.globals.quiet = true;
        } else if (word == "-v" || word == "--verbose") {
            seen.globals.verbose = true;
        } else if (word == "--version") {
            seen.wish = CommandLine::Wish::version;
            return false;
        } else if (word == "-h" || word == "--help") {
            help = true;
            seen.wish = word == "-h" ? CommandLine::Wish::short_help : CommandLine::Wish::manual;
        } else {
            throw usage("unknown option '{}'", word).with_hint("git scad -h shows the options");
        }
    }
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(at));
    return !help;
}

// Takes the command's name off the front. False: there is no command to run.
bool take_name(std::vector<std::string>& arguments, CommandLine& seen) {
    if (arguments.empty()) {
        seen.complete = false;
        return false;
    }
    const auto word = arguments.front();
    arguments.erase(arguments.begin());
    seen.command = find_command(word);
    if (seen.command != nullptr) return true;
    const auto verbs = verbs_of(word);
    if (verbs.empty()) {
        auto close = commands_with_verb(word);
        if (close.empty()) close = base::nearest(word, first_words());
        throw unknown("a scad command", word, close, "git scad -h");
    }
    seen.group = word;
    if (arguments.empty()) {
        seen.complete = false;
        return false;
    }
    const auto verb = arguments.front();
    if (verb == "-h" || verb == "--help") {
        seen.wish = verb == "-h" ? CommandLine::Wish::short_help : CommandLine::Wish::manual;
        return false;
    }
    arguments.erase(arguments.begin());
    seen.command = find_command(word + " " + verb);
    if (seen.command == nullptr)
        throw unknown("a command of 'git scad " + word + "'", verb, base::nearest(verb, verbs),
                      "git scad " + word + " -h");
    return true;
}

std::string option_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    return base::join(names, ", ");
}

std::string option_value(const CLI::Option& option) {
    const bool is_flag = option.get_items_expected_min() == 0;
    if (is_flag && option.get_fnames().empty()) return {};
    const auto text = option.get_option_text().empty() ? std::string("<value>") : option.get_option_text();
    return is_flag ? "[=" + text + "]" : " " + text; // a flag with a value takes it by "=" only
}

std::string argument_text(const CLI::Option& option) {
    std::string text = "<" + option.get_name(true) + ">";
    if (option.get_expected_max() > 1) text += "…";
    return option.get_required() ? text : "[" + text + "]";
}

// The parser of one command, with what its set-up bound.
struct Parser {
    explicit Parser(const Command& command) : app(std::string(command.summary), std::string(command.name)) {
        app.set_help_flag("-h", "show this help")->group("");
        app.set_help_all_flag("--help", "open the manual page")->group("");
        action = command.set_up(app);
        own_options = app.get_options();
        app.add_option("-C", globals.directories)->allow_extra_args(false)->group("");
        app.add_flag("-q,--quiet", globals.quiet)->group("");
        app.add_flag("-v,--verbose", globals.verbose)->group("");
    }

    CLI::App app;
    Action action;
    std::vector<CLI::Option*> own_options;
    Globals globals;
};

std::string command_usage(const Command& command, const Parser& parser) {
    std::string text = fmt::format("git scad {}", command.name);
    if (!command.usage.empty()) return text + " " + std::string(command.usage);
    const bool has_options = std::any_of(
        parser.own_options.begin(), parser.own_options.end(),
        [](const auto* option) { return option->nonpositional() && !option->get_group().empty(); });
    if (has_options) text += " [<options>]";
    for (const auto* option : parser.own_options) {
        if (option->get_positional() && !option->nonpositional()) text += " " + argument_text(*option);
    }
    if (command.takes_words) text += " [-- <command>…]";
    return text;
}

void append_row(std::string& text, const std::string& left, std::string_view right) {
    text += "    " + left;
    const auto width = base::display_width(left) + 4;
    if (width + 2 > help_column)
        text += "\n" + std::string(help_column, ' ');
    else
        text += std::string(help_column - width, ' ');
    text += std::string(right) + "\n";
}

std::string options_help(const Parser& parser) {
    std::string arguments;
    std::string options;
    for (const auto* option : parser.own_options) {
        if (option->get_group().empty()) continue;
        if (option->nonpositional())
            append_row(options, option_names(*option) + option_value(*option), option->get_description());
        else if (!option->get_description().empty())
            append_row(arguments, "<" + option->get_name(true) + ">", option->get_description());
    }
    std::string text;
    if (!arguments.empty()) text += "\n" + arguments;
    if (!options.empty()) text += "\n" + options;
    return text;
}

std::string overview() {
    std::string text;
    std::string last;
    for (const auto& command : all_commands()) {
        const auto space = command.name.find(' ');
        const std::string group(space == std::string_view::npos ? "" : command.name.substr(0, space));
        if (group.empty() || group != last) text += group.empty() && last.empty() ? "" : "\n";
        last = group;
        append_row(text, std::string(command.name), command.summary);
    }
    return text;
}

Error unknown_option(const std::string& word, const Parser& parser, const Command& command) {
    const auto name = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const auto* option : parser.own_options) {
        if (option->get_group().empty()) continue;
        for (const auto& candidate : option->get_lnames()) known.push_back("--" + candidate);
    }
    auto problem = usage("unknown option '{}'", name);
    const auto close = base::nearest(name, known, 1);
    if (!close.empty()) return std::move(problem).with_hint("did you mean '{}'?", close.front());
    if (command.takes_words)
        return std::move(problem).with_hint("what belongs to the command comes after '--'");
    return problem;
}

// What CLI11 has against the arguments, in our words.
Error parse_problem(const CLI::ParseError& error, const Parser& parser, const Command& command) {
    // A mistyped option may also be why an argument is missing: it is what is told then.
    const auto extras = parser.app.remaining();
    const auto dashed = std::find_if(extras.begin(), extras.end(),
                                     [](const auto& word) { return word.starts_with('-') && word != "-"; });
    if (dashed != extras.end()) return unknown_option(*dashed, parser, command);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
        return usage("unexpected argument '{}'", extras.empty() ? "" : extras.front());
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
        for (const auto* option : parser.own_options) {
            if (option->get_required() && option->count() == 0)
                return usage("<{}> is missing", option->get_name(true));
        }
    }
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        const std::string what = error.what(); // "--agent: 1 required TEXT missing"
        return usage("option '{}' wants one value", what.substr(0, what.find(':')));
    }
    return usage("{}", error.what());
}

} // namespace

void parse_command_line(std::vector<std::string> arguments, CommandLine& seen) {
    // CLI11 hands on what follows "--" in reverse order, so it never gets to see that.
    const auto cut = std::find(arguments.begin(), arguments.end(), "--");
    seen.has_words = cut != arguments.end();
    if (seen.has_words) {
        seen.words.assign(cut + 1, arguments.end());
        arguments.erase(cut, arguments.end());
    }
    if (!take_globals(arguments, seen)) {
        if (seen.wish != CommandLine::Wish::version && !arguments.empty()) take_name(arguments, seen);
        return;
    }
    if (!take_name(arguments, seen)) return;

    const auto& command = *seen.command;
    if (seen.has_words && !command.takes_words) {
        for (auto& word : seen.words) {
            if (word.starts_with('-'))
                throw usage("'git scad {}' takes no argument that starts with a dash", command.name);
            arguments.push_back(std::move(word));
        }
        seen.words.clear();
        seen.has_words = false;
    }
    const auto parser = std::make_shared<Parser>(command);
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
    try {
        parser->app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        return;
    } catch (const CLI::CallForAllHelp&) {
        seen.wish = CommandLine::Wish::manual;
        return;
    } catch (const CLI::ParseError& error) {
        throw parse_problem(error, *parser, command);
    }
    auto& globals = seen.globals;
    globals.directories.insert(globals.directories.end(), parser->globals.directories.begin(),
                               parser->globals.directories.end());
    globals.quiet = globals.quiet || parser->globals.quiet;
    globals.verbose = globals.verbose || parser->globals.verbose;
    seen.wish = CommandLine::Wish::run;
    // The parser lives as long as the action that reads from it.
    seen.action = [parser](Invocation& invocation) { return parser->action(invocation); };
}

std::string usage_lines(const CommandLine& line) {
    if (line.command != nullptr)
        return "usage: " + command_usage(*line.command, Parser(*line.command)) + "\n";
    if (line.group.empty())
        return "usage: git scad [-C <directory>] [-q] [-v] [-h | --help | --version] <command> "
               "[<arguments>]\n";
    std::string text;
    for (const auto& command : all_commands()) {
        if (!belongs_to(command, line.group)) continue;
        text += (text.empty() ? "usage: " : "   or: ") + command_usage(command, Parser(command)) + "\n";
    }
    return text;
}

std::string short_help(const CommandLine& line) {
    auto text = usage_lines(line);
    if (line.command != nullptr) {
        const Parser parser(*line.command);
        return text + "\n    " + std::string(line.command->summary) + "\n" + options_help(parser);
    }
    if (line.group.empty()) {
        return text + "\n" + overview() +
               "\n'git scad <command> -h' shows a command's options, '--help' opens its manual page.\n";
    }
    text += "\n";
    for (const auto& command : all_commands()) {
        if (belongs_to(command, line.group))
            append_row(text, std::string(command.name.substr(line.group.size() + 1)), command.summary);
    }
    return text;
}

std::string manual_page(const CommandLine& line) {
    std::string name = line.group;
    if (line.command != nullptr) name = line.command->name.substr(0, line.command->name.find(' '));
    if (name.empty() || name == "version") return "git-scad";
    return "git-scad-" + name;
}

} // namespace scad::commands
