#include "agent/preset.h"

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/toml.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <toml++/toml.h>

namespace scad::agent {

namespace {

// Collects what is wrong with one file.
class Faults {
  public:
    Faults(std::string file, std::string_view source) : file_(std::move(file)), source_(source) {}

    void add(const toml::source_region& where, std::string_view message) {
        found_.push_back(base::message_at({file_, where.begin.line, where.begin.column}, source_, message));
    }
    void throw_if_any() const {
        if (!found_.empty()) throw fatal("{}", base::join(found_, "\n"));
    }

  private:
    std::string file_;
    std::string_view source_;
    std::vector<std::string> found_;
};

using Keys = std::vector<std::string>;

const Keys top_keys = {"title",    "program",    "install",   "version", "headless", "model",
                       "resume",   "prompt",     "directory", "reader",  "hosts",    "credentials",
                       "pass_env", "login_help", "token",     "home",    "env",      "files"};
const Keys token_keys = {"variable", "by_prefix", "setting", "file", "value", "expires", "renew"};
const Keys home_keys = {"directory", "variable", "copy",          "rewrite",
                        "never",     "settings", "settings_keys", "mcp"};

void check_keys(const toml::table& table, const Keys& known, Faults& faults) {
    for (const auto& [key, node] : table) {
        std::string own(key.str());
        if (std::find(known.begin(), known.end(), own) != known.end()) continue;
        auto near = base::nearest(own, known, 1);
        faults.add(key.source(), near.empty()
                                     ? fmt::format("unknown key '{}'", own)
                                     : fmt::format("unknown key '{}'; did you mean '{}'?", own, near[0]));
    }
}

bool is_variable_name(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_home_path(const std::string& text) {
    std::filesystem::path path(text);
    if (text.empty() || path.is_absolute() || text.ends_with('/') || text.find('\0') != std::string::npos)
        return false;
    return std::none_of(path.begin(), path.end(),
                        [](const auto& part) { return part == ".." || part == "."; });
}

// Reads the values of one table, noting what does not fit.
class Reader {
  public:
    Reader(const toml::table& table, Faults& faults) : table_(table), faults_(faults) {}

    std::string text(std::string_view key) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return {};
        if (auto value = node->value_exact<std::string>()) return *value;
        faults_.add(node->source(), fmt::format("'{}' must be a string", key));
        return {};
    }

    std::vector<std::string> texts(std::string_view key) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return {};
        const auto* array = node->as_array();
        if (array == nullptr) {
            faults_.add(node->source(), fmt::format("'{}' must be a list of strings", key));
            return {};
        }
        std::vector<std::string> result;
        for (const auto& element : *array) {
            auto value = element.value_exact<std::string>();
            if (value) {
                result.push_back(std::move(*value));
            } else {
                faults_.add(element.source(), fmt::format("'{}' must be a list of strings", key));
            }
        }
        return result;
    }

    // `check`: whether a key is well formed; `what`: what it should be.
    template <class Check>
    std::map<std::string, std::string> map(std::string_view key, Check check, std::string_view what) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return {};
        const auto* table = node->as_table();
        if (table == nullptr) {
            faults_.add(node->source(), fmt::format("'{}' must be a table", key));
            return {};
        }
        std::map<std::string, std::string> result;
        for (const auto& [name, element] : *table) {
            std::string own(name.str());
            if (!check(own)) faults_.add(name.source(), fmt::format("'{}' is no {}", own, what));
            if (auto value = element.template value_exact<std::string>()) {
                result.emplace(std::move(own), std::move(*value));
            } else {
                faults_.add(element.source(), fmt::format("'{}' must be a string", own));
            }
        }
        return result;
    }

    const toml::table* table(std::string_view key) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return nullptr;
        if (node->as_table() == nullptr)
            faults_.add(node->source(), fmt::format("'{}' must be a table", key));
        return node->as_table();
    }

    toml::source_region where(std::string_view key) const {
        const auto* node = table_.get(key);
        return node != nullptr ? node->source() : table_.source();
    }

  private:
    const toml::table& table_;
    Faults& faults_;
};

// A word in braces is a place-holder, and each list may have only its own.
void check_place_holders(const std::vector<std::string>& words, std::string_view key, std::string_view own,
                         const toml::source_region& where, Faults& faults) {
    for (const auto& word : words) {
        if (word.size() < 3 || word.front() != '{' || word.back() != '}' || word == own) continue;
        if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz", 1) != word.size() - 1) continue;
        faults.add(where, fmt::format("nothing fills '{}' in '{}'", word, key));
    }
}

void check_names(const std::vector<std::string>& names, const toml::source_region& where, Faults& faults) {
    for (const auto& name : names) {
        if (!name.empty() && !is_variable_name(name))
            faults.add(where, fmt::format("'{}' is no variable name", name));
    }
}

void check_home_paths(const std::vector<std::string>& paths, const toml::source_region& where,
                      Faults& faults) {
    for (const auto& path : paths) {
        if (!path.empty() && !is_home_path(path))
            faults.add(where, fmt::format("'{}' is no path below the home", path));
    }
}

TokenSource read_token(const toml::table& table, Faults& faults) {
    check_keys(table, token_keys, faults);
    const Reader read(table, faults);
    TokenSource token;
    token.variable = read.text("variable");
    token.by_prefix = read.map(
        "by_prefix", [](const auto&) { return true; }, "");
    token.setting = read.text("setting");
    token.file = read.text("file");
    token.value = read.texts("value");
    token.expires = read.texts("expires");
    token.renew = read.text("renew");
    check_home_paths({token.file}, read.where("file"), faults);
    std::vector<std::string> names = {token.variable};
    for (const auto& [prefix, name] : token.by_prefix) names.push_back(name);
    check_names(names, table.source(), faults);
    // Its value is run on the host, so it can be no setting that means something else.
    if (!token.setting.empty() &&
        (!token.setting.starts_with("scad.") || !token.setting.ends_with(".tokenCommand")))
        faults.add(read.where("setting"), "'token.setting' must be 'scad.<agent>.tokenCommand'");
    if (token.variable.empty()) faults.add(table.source(), "'token' needs 'variable'");
    if (!token.file.empty() && token.value.empty())
        faults.add(read.where("file"), "'token.file' needs 'value': where in the file the token stands");
    return token;
}

HomeCopies read_home(const toml::table& table, Faults& faults) {
    check_keys(table, home_keys, faults);
    const Reader read(table, faults);
    HomeCopies home;
    home.directory = read.text("directory");
    home.variable = read.text("variable");
    home.copy = read.texts("copy");
    home.rewrite = read.texts("rewrite");
    home.never = read.texts("never");
    home.settings = read.text("settings");
    home.settings_keys = read.texts("settings_keys");
    home.mcp = read.text("mcp");
    check_names({home.variable}, read.where("variable"), faults);
    check_home_paths({home.directory, home.settings, home.mcp}, table.source(), faults);
    check_home_paths(home.copy, read.where("copy"), faults);
    check_home_paths(home.rewrite, read.where("rewrite"), faults);
    check_home_paths(home.never, read.where("never"), faults);
    return home;
}

toml::table parse_text(const std::string& file, std::string_view text) {
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        Faults faults(file, text);
        faults.add(error.source(), error.description());
        faults.throw_if_any();
        throw; // not reached
    }
}

} // namespace

Agent parse_preset(const std::string& name, const std::string& file, std::string_view text) {
    auto table = parse_text(file, text);
    Faults faults(file, text);
    check_keys(table, top_keys, faults);
    Reader read(table, faults);
    Agent agent;
    agent.name = name;
    agent.title = read.text("title");
    agent.program = read.text("program");
    agent.install = read.text("install");
    agent.version_argv = read.texts("version");
    agent.headless = read.texts("headless");
    agent.model = read.texts("model");
    agent.resume = read.texts("resume");
    agent.directory = read.texts("directory");
    agent.credentials = read.texts("credentials");
    agent.pass_env = read.texts("pass_env");
    agent.login_help = read.text("login_help");
    agent.hosts = read.texts("hosts");
    agent.env = read.map("env", is_variable_name, "variable name");
    agent.files = read.map("files", is_home_path, "path below the home");
    if (auto reader = read.text("reader"); !reader.empty()) agent.reader = reader;
    auto prompt = read.text("prompt");
    if (prompt == "argument") {
        agent.prompt = PromptVia::argument;
    } else if (!prompt.empty() && prompt != "stdin") {
        faults.add(read.where("prompt"),
                   fmt::format("'prompt' must be 'stdin' or 'argument', not '{}'", prompt));
    }
    check_place_holders(agent.headless, "headless", "{prompt}", read.where("headless"), faults);
    check_place_holders(agent.model, "model", "{model}", read.where("model"), faults);
    check_place_holders(agent.resume, "resume", "{conversation}", read.where("resume"), faults);
    check_place_holders(agent.directory, "directory", "{directory}", read.where("directory"), faults);
    check_names(agent.credentials, read.where("credentials"), faults);
    check_names(agent.pass_env, read.where("pass_env"), faults);
    if (const auto* token = read.table("token")) agent.token = read_token(*token, faults);
    if (const auto* home = read.table("home")) agent.home = read_home(*home, faults);
    if (agent.title.empty()) agent.title = name;
    faults.throw_if_any();
    return agent;
}

} // namespace scad::agent
