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

const std::vector<std::string>& known_keys() {
    static const std::vector<std::string> keys = {
        "title",  "program",     "install",  "version", "headless",   "model", "resume", "prompt",
        "reader", "credentials", "pass_env", "hosts",   "login_help", "env",   "files"};
    return keys;
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
    for (const auto& [key, node] : table) {
        std::string own(key.str());
        const auto& keys = known_keys();
        if (std::find(keys.begin(), keys.end(), own) != keys.end()) continue;
        auto near = base::nearest(own, keys, 1);
        faults.add(key.source(), near.empty()
                                     ? fmt::format("unknown key '{}'", own)
                                     : fmt::format("unknown key '{}'; did you mean '{}'?", own, near[0]));
    }
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
    for (const char* key : {"credentials", "pass_env"}) {
        for (const auto& variable : read.texts(key)) {
            if (!is_variable_name(variable)) {
                faults.add(read.where(key), fmt::format("'{}' is no variable name", variable));
            }
        }
    }
    if (agent.title.empty()) agent.title = name;
    faults.throw_if_any();
    return agent;
}

} // namespace scad::agent
