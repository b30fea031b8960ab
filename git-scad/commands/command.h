#pragma once

#include "base/context.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace scad::commands {

// One run of a command, after parsing.
struct Invocation {
    base::Context& context;
    bool has_words = false;         // there was a "--"
    std::vector<std::string> words; // what followed it (it is cut off before CLI11 sees it)
};

// Runs the command; returns its exit status. Errors are thrown.
using Action = std::function<int(Invocation&)>;

struct Command {
    std::string_view name;    // "session start"
    std::string_view summary; // one line, lower case
    Action (*set_up)(
        CLI::App& app); // adds options and positionals; the returned action reads what they were bound to
    bool takes_words = false;    // "--" may follow
    std::string_view usage = {}; // what follows the name in the usage line; empty: made from the options
};

// Every command, in the order of the help. Groups ("session") are those with a space.
std::span<const Command> all_commands();

} // namespace scad::commands
