#pragma once

#include "commands/command.h"

#include <string>
#include <string_view>
#include <vector>

// From the words of a command line to what is to be done. Pure: no output, no environment.
namespace scad::commands {

// Options that may stand before and after a command's name.
struct Globals {
    std::vector<std::string> directories; // -C, each relative to the one before
    bool quiet = false;
    bool verbose = false;
};

struct CommandLine {
    enum class Wish {
        run,        // `command` with `action`
        short_help, // -h, or a group alone
        manual,     // --help
        version,    // --version
    };
    Wish wish = Wish::short_help;
    const Command* command = nullptr; // none: `group`, or with that empty the whole of scad
    std::string group;
    bool complete = true; // false: a command's name is missing; the help is an answer to a mistake
    Globals globals;
    Action action;
    bool has_words = false;
    std::vector<std::string> words;
};

// Parses what follows "git-scad". Error::usage for everything that is wrong, with the nearest name as its
// hint. `seen` is filled as far as the parsing came, so that its usage line can be shown.
void parse_command_line(std::vector<std::string> arguments, CommandLine& seen);

// "usage: git scad inject [<options>] <session>…" of the command, the group or all; one line each.
std::string usage_lines(const CommandLine& line);
// The whole short help: usage, what it does, options.
std::string short_help(const CommandLine& line);
// The manual page that `--help` opens: "git-scad-session".
std::string manual_page(const CommandLine& line);

} // namespace scad::commands
