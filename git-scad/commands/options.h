#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

// Options and arguments of a command, without the parser's own header. `names` is "-f,--force"; `value` names
// an option's value in the help ("<text>"). What is bound must outlive the parsing (commands keep it in a
// shared_ptr that their action holds).
namespace scad::commands {

void add_flag(CLI::App& app, const char* names, bool& to, const char* help);
void add_option(CLI::App& app, const char* names, const char* value, std::string& to, const char* help);
void add_option(CLI::App& app, const char* names, const char* value, std::optional<std::string>& to,
                const char* help);
// May be given several times; each takes one value.
void add_option(CLI::App& app, const char* names, const char* value, std::vector<std::string>& to,
                const char* help);
// A value that only "=" can give: with names "-c{last},--continue{last}", "--continue" sets `to` to "last"
// and "--continue=3" to "3"; the next word is never taken.
void add_optional_value(CLI::App& app, const char* names, const char* value, std::string& to,
                        const char* help);

void add_argument(CLI::App& app, const char* name, std::string& to, const char* help); // must be given
void add_argument(CLI::App& app, const char* name, std::optional<std::string>& to,
                  const char* help); // may be
enum class Count { any, at_least_one };
void add_arguments(CLI::App& app, const char* name, std::vector<std::string>& to, Count count,
                   const char* help);

// How a command that lists things prints them.
struct Format {
    bool json = false;
    bool porcelain = false;
    bool nul = false;
};
void add_format(CLI::App& app, Format& format);
void add_json(CLI::App& app, Format& format);
// Error::usage when the options exclude each other.
void check_format(const Format& format);

// Values of options. Error::usage, naming the option, when they are malformed.
std::size_t parse_count(std::string_view option, std::string_view text, std::size_t most);
std::chrono::seconds parse_seconds(std::string_view option, std::string_view text);

// "alpha,beta" and "alpha" "beta" alike: the names in order, each once. Error::usage for an empty name.
std::vector<std::string> parse_names(const std::vector<std::string>& arguments);

// A command for a session travels as JSON, which holds no other bytes. Error::usage when a word is not UTF-8.
void check_command(const std::vector<std::string>& words);

} // namespace scad::commands
