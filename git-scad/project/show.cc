#include "project/show.h"

#include "base/json.h"
#include "base/text.h"
#include "base/unicode.h"
#include "project/load.h"
#include "project/schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace scad::project {

namespace {

Node unset() { return {}; }

Node text(std::string value) {
    Node node;
    node.kind = Node::Kind::string;
    node.text = std::move(value);
    return node;
}

Node optional_text(const std::string& value) { return value.empty() ? unset() : text(value); }

Node boolean(bool value) {
    Node node;
    node.kind = Node::Kind::boolean;
    node.boolean = value;
    return node;
}

Node list(const std::vector<std::string>& values) {
    Node node;
    node.kind = Node::Kind::array;
    for (const auto& value : values) node.items.push_back(text(value));
    return node;
}

Node table() {
    Node node;
    node.kind = Node::Kind::table;
    return node;
}

void put(Node& to, std::string key, Node value) {
    to.entries.push_back({std::move(key), {}, std::move(value)});
}

Node size(const std::optional<std::uint64_t>& value) { return value ? text(size_text(*value)) : unset(); }

Node duration(const std::optional<std::chrono::seconds>& value) {
    return value ? text(duration_text(*value)) : unset();
}

Node environment_node(const Environment& environment) {
    auto node = table();
    put(node, "base", text(environment.base));
    put(node, "tools", list(environment.tools));
    put(node, "packages", list(environment.packages));
    if (environment.python) {
        auto python = table();
        put(python, "requirements", list(environment.python->requirements));
        put(python, "project", optional_text(environment.python->project));
        put(python, "version", optional_text(environment.python->version));
        put(python, "interpreter", optional_text(environment.python->interpreter));
        put(python, "editable", list(environment.python->editable));
        put(node, "python", std::move(python));
    }
    if (!environment.setup.empty()) {
        Node steps;
        steps.kind = Node::Kind::array;
        for (const auto& step : environment.setup) {
            auto one = table();
            put(one, "run", text(step.run));
            put(one, "inputs", list(step.inputs));
            steps.items.push_back(std::move(one));
        }
        put(node, "setup", std::move(steps));
    }
    put(node, "network", text(std::string(mode_word(environment.network))));
    put(node, "allow", environment.network_allow.empty() ? unset() : list(environment.network_allow));
    auto env = table();
    for (const auto& [name, value] : environment.env) put(env, name, text(value));
    put(node, "env", std::move(env));
    put(node, "gpu", boolean(environment.gpu));
    put(node, "devices", list(environment.devices));
    return node;
}

Node limits_node(const Limits& limits) {
    auto node = table();
    Node cpus;
    if (limits.cpus) {
        cpus.kind = Node::Kind::real;
        cpus.real = *limits.cpus;
    }
    Node pids;
    if (limits.pids) {
        pids.kind = Node::Kind::integer;
        pids.integer = static_cast<std::int64_t>(*limits.pids);
    }
    put(node, "cpus", std::move(cpus));
    put(node, "memory", size(limits.memory));
    put(node, "pids", std::move(pids));
    put(node, "disk", size(limits.disk));
    put(node, "shm", size(limits.shm));
    put(node, "time", duration(limits.time));
    put(node, "idle", duration(limits.idle));
    put(node, "strict", boolean(limits.strict));
    return node;
}

Node trigger_node(const Trigger& trigger) {
    auto node = table();
    put(node, "on", text(trigger.on));
    put(node, "repo", text(trigger.repo));
    put(node, "paths", list(trigger.paths));
    put(node, "branches", list(trigger.branches));
    put(node, "session", text(trigger.session));
    put(node, "prompt", text(trigger.prompt));
    return node;
}

std::string value_text(const Node& node) {
    std::vector<std::string> parts;
    switch (node.kind) {
        case Node::Kind::string:
            return toml_string(node.text);
        case Node::Kind::integer:
            return fmt::format("{}", node.integer);
        case Node::Kind::real:
            return number_text(node.real);
        case Node::Kind::boolean:
            return node.boolean ? "true" : "false";
        case Node::Kind::array:
            for (const auto& item : node.items) parts.push_back(value_text(item));
            return "[" + base::join(parts, ", ") + "]";
        case Node::Kind::table:
            for (const auto& entry : node.entries) {
                if (entry.value.kind != Node::Kind::unset) {
                    parts.push_back(toml_key(entry.key) + " = " + value_text(entry.value));
                }
            }
            return parts.empty() ? "{}" : "{ " + base::join(parts, ", ") + " }";
        default:
            return {};
    }
}

// `path`: the header as TOML writes it ("repos.code"); `section`: as the schema calls it ("repos.*").
void write_section(std::string& out, const Node& node, const std::string& header, std::string_view section) {
    out += (out.empty() ? "" : "\n") + header + "\n";
    for (const auto& entry : node.entries) {
        if (entry.value.kind != Node::Kind::unset) {
            out += toml_key(entry.key) + " = " + value_text(entry.value) + "\n";
            continue;
        }
        const auto* key = find_key(section, entry.key);
        auto standard = key == nullptr || key->standard.empty() ? "not set" : key->standard;
        out += fmt::format("# {}: {}\n", entry.key, standard);
    }
}

nlohmann::ordered_json to_value(const Node& node) {
    switch (node.kind) {
        case Node::Kind::string:
            return node.text;
        case Node::Kind::integer:
            return node.integer;
        case Node::Kind::real:
            return node.real;
        case Node::Kind::boolean:
            return node.boolean;
        case Node::Kind::array: {
            auto values = nlohmann::ordered_json::array();
            for (const auto& item : node.items) values.push_back(to_value(item));
            return values;
        }
        case Node::Kind::table: {
            auto values = nlohmann::ordered_json::object();
            for (const auto& entry : node.entries) values[entry.key] = to_value(entry.value);
            return values;
        }
        default:
            return nullptr;
    }
}

} // namespace

std::string toml_string(std::string_view value) {
    std::string out = "\"";
    while (!value.empty()) {
        auto next = base::decode_utf8(value);
        auto bytes = value.substr(0, next.length);
        value.remove_prefix(next.length);
        if (bytes == "\"" || bytes == "\\") {
            out += '\\';
            out += bytes;
        } else if (bytes == "\n") {
            out += "\\n";
        } else if (bytes == "\t") {
            out += "\\t";
        } else if (base::visible(bytes) == bytes) {
            out += bytes;
        } else {
            out += fmt::format("\\U{:08X}", static_cast<std::uint32_t>(next.point));
        }
    }
    return out + '"';
}

std::string toml_key(std::string_view key) {
    auto bare = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    return !key.empty() && std::all_of(key.begin(), key.end(), bare) ? std::string(key) : toml_string(key);
}

std::string number_text(double number) {
    return fmt::format("{}", number) == fmt::format("{:.0f}", number) ? fmt::format("{:.0f}", number)
                                                                      : fmt::format("{}", number);
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units = {"", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (unit + 1 < units.size() && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{}{}", bytes, units.at(unit));
}

std::string duration_text(std::chrono::seconds duration) {
    auto seconds = duration.count();
    std::string text;
    if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
    if (seconds % 3600 >= 60) text += fmt::format("{}m", seconds % 3600 / 60);
    if (seconds % 60 != 0 || text.empty()) text += fmt::format("{}s", seconds % 60);
    return text;
}

std::string_view mode_word(NetworkMode mode) {
    switch (mode) {
        case NetworkMode::none:
            return "none";
        case NetworkMode::host:
            return "host";
        default:
            return "allow";
    }
}

std::string_view mode_word(MountMode mode) {
    switch (mode) {
        case MountMode::rw:
            return "rw";
        case MountMode::cow:
            return "cow";
        default:
            return "ro";
    }
}

Node to_document(const Project& project) {
    auto document = table();
    auto repos = table();
    for (const auto& repo : project.repos) {
        auto node = table();
        if (repo.url.empty()) {
            put(node, "path", text(repo.path.native()));
        } else {
            put(node, "url", text(repo.url));
        }
        put(node, "base", optional_text(repo.base));
        put(node, "include", list(repo.include));
        put(repos, repo.name, std::move(node));
    }
    put(document, "repos", std::move(repos));
    auto mounts = table();
    for (const auto& mount : project.mounts) {
        auto node = table();
        put(node, "source", text(mount.source));
        put(node, "mode", text(std::string(mode_word(mount.mode))));
        put(mounts, mount.target, std::move(node));
    }
    put(document, "mounts", std::move(mounts));
    put(document, "environment", environment_node(project.environment));
    put(document, "limits", limits_node(project.limits));
    auto network = table();
    put(network, "mode", text(std::string(mode_word(project.network.mode))));
    put(network, "allow", list(project.network.allow));
    put(document, "network", std::move(network));
    auto agent = table();
    put(agent, "use", text(project.agent.use));
    put(agent, "model", optional_text(project.agent.model));
    put(agent, "directory", text(project.agent.directory));
    put(agent, "login", text(project.agent.login));
    put(agent, "env", list(project.agent.env));
    put(agent, "files", project.agent.files ? list(*project.agent.files) : unset());
    put(agent, "mcp", list(project.agent.mcp));
    put(document, "agent", std::move(agent));
    auto session = table();
    put(session, "branch", text(project.branch));
    put(document, "session", std::move(session));
    Node triggers;
    triggers.kind = Node::Kind::array;
    for (const auto& trigger : project.triggers) triggers.items.push_back(trigger_node(trigger));
    put(document, "trigger", std::move(triggers));
    return document;
}

std::string to_toml(const Project& project) {
    std::string out;
    for (const auto& entry : to_document(project).entries) {
        const auto* key = find_key("", entry.key);
        if (key->type == Type::table) {
            write_section(out, entry.value, "[" + entry.key + "]", subsection(*key));
        } else if (key->type == Type::tables) {
            for (const auto& item : entry.value.items) {
                write_section(out, item, "[[" + entry.key + "]]", subsection(*key));
            }
        } else {
            for (const auto& named : entry.value.entries) {
                write_section(out, named.value, "[" + entry.key + "." + toml_key(named.key) + "]",
                              subsection(*key));
            }
        }
    }
    return out;
}

std::string to_json(const Project& project) {
    nlohmann::ordered_json document;
    document["version"] = 1;
    document["project"] = project.name;
    document["docs_repo"] = project.docs_repo.native();
    document["file"] = project.file.native();
    document["local_file"] =
        project.local_file ? nlohmann::ordered_json(project.local_file->native()) : nullptr;
    for (const auto& entry : to_document(project).entries) document[entry.key] = to_value(entry.value);
    return document.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace scad::project
