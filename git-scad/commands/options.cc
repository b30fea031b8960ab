#include "commands/options.h"

#include "base/error.h"
#include "base/text.h"
#include "base/unicode.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace scad::commands {

void add_flag(CLI::App& app, const char* names, bool& to, const char* help) { app.add_flag(names, to, help); }

void add_option(CLI::App& app, const char* names, const char* value, std::string& to, const char* help) {
    app.add_option(names, to, help)->option_text(value);
}

void add_option(CLI::App& app, const char* names, const char* value, std::optional<std::string>& to,
                const char* help) {
    app.add_option_function<std::string>(
           names, [&to](const std::string& text) { to = text; }, help)
        ->option_text(value);
}

void add_option(CLI::App& app, const char* names, const char* value, std::vector<std::string>& to,
                const char* help) {
    app.add_option(names, to, help)->allow_extra_args(false)->option_text(value);
}

void add_optional_value(CLI::App& app, const char* names, const char* value, std::string& to,
                        const char* help) {
    // A flag with a default value is the one kind of option that does not swallow the next word.
    app.add_flag(names, to, help)->option_text(value);
}

void add_argument(CLI::App& app, const char* name, std::string& to, const char* help) {
    app.add_option(name, to, help)->required();
}

void add_argument(CLI::App& app, const char* name, std::optional<std::string>& to, const char* help) {
    app.add_option_function<std::string>(
        name, [&to](const std::string& text) { to = text; }, help);
}

void add_arguments(CLI::App& app, const char* name, std::vector<std::string>& to, Count count,
                   const char* help) {
    auto* option = app.add_option(name, to, help);
    if (count == Count::at_least_one) option->required();
}

void add_json(CLI::App& app, Format& format) {
    add_flag(app, "--json", format.json, "print one JSON document");
}

void add_format(CLI::App& app, Format& format) {
    add_json(app, format);
    add_flag(app, "--porcelain", format.porcelain, "print tab-separated records for scripts");
    add_flag(app, "-z", format.nul, "end records with NUL and quote nothing (implies --porcelain)");
}

void check_format(const Format& format) {
    if (format.json && (format.porcelain || format.nul)) {
        throw usage("--json and --porcelain exclude each other");
    }
}

std::size_t parse_count(std::string_view option, std::string_view text, std::size_t most) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > most) {
        throw usage("{} wants a number from 1 to {}, not '{}'", option, most, text);
    }
    return value;
}

std::chrono::seconds parse_seconds(std::string_view option, std::string_view text) {
    const auto duration = base::parse_duration(text);
    if (!duration || duration->count() <= 0) {
        throw usage("{} wants a duration such as 90s, 20m or 1h30m, not '{}'", option, text);
    }
    return *duration;
}

std::vector<std::string> parse_names(const std::vector<std::string>& arguments) {
    std::vector<std::string> names;
    for (const auto& argument : arguments) {
        auto parts = base::split(argument, ',');
        if (parts.empty()) parts.emplace_back();
        for (auto& name : parts) {
            if (name.empty()) throw usage("an empty name in '{}'", argument);
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
        }
    }
    return names;
}

void check_command(const std::vector<std::string>& words) {
    for (const auto& word : words) {
        for (std::string_view rest = word; !rest.empty();) {
            const auto decoded = base::decode_utf8(rest);
            if (!decoded.valid)
                throw usage("'{}' is not UTF-8, which is all that a command for a session can hold", word)
                    .with_hint("put the command into a script inside the session");
            rest.remove_prefix(decoded.length);
        }
    }
}

} // namespace scad::commands
