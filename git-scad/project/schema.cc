#include "project/schema.h"

#include "base/suggest.h"
#include "base/text.h"
#include "project/show.h"

#include <algorithm>
#include <array>

namespace scad::project {

namespace {

constexpr std::array keys = {
    Key{"", "repos", Type::named_tables, "", "",
        "A git repo of the session, cloned to /work/<name>. At least one."},
    Key{"repos.*", "path", Type::string, "", "",
        "The repo on this machine: from the docs repo's top, or absolute, or below ~. Either this or url."},
    Key{"repos.*", "url", Type::string, "", "",
        "Where to fetch it from (https, ssh, git, file), instead of path."},
    Key{"repos.*", "base", Type::string, "", "the repo's HEAD",
        "The branch, tag or commit that sessions start from."},
    Key{"repos.*", "include", Type::strings, "", "[]",
        "Files and directories that git ignores on the host and of which the session gets a copy, from the "
        "repo's top."},

    Key{"", "mounts", Type::named_tables, "", "",
        "A host directory that the session sees at this absolute path."},
    Key{"mounts.*", "source", Type::string, "", "the same path",
        "The directory on this machine: from the docs repo's top, or absolute, or below ~. With mode rw "
        "\"{session}\" stands for the session's name, and the directory is made."},
    Key{"mounts.*", "mode", Type::choice, "ro|rw|cow", "ro",
        "ro: read only. rw: the session writes to the host's directory itself. cow: writable in the session, "
        "never written through."},

    Key{"", "environment", Type::table, "", "", "What programs find in a session."},
    Key{"environment", "base", Type::string, "", "host",
        "host: the host's own programs, read only. debian:<release>, an image, devcontainer: a system of its "
        "own."},
    Key{"environment", "tools", Type::strings, "", "[]",
        "Host directories, read only at the same path, their bin first on PATH."},
    Key{"environment", "packages", Type::strings, "", "[]", "Packages to install; not with base \"host\".",
        true},
    Key{"environment", "python", Type::table, "", "", "A Python environment at /opt/scad/venv."},
    Key{"environment.python", "requirements", Type::strings, "", "[]",
        "Requirement files, as <repo>/<path>."},
    Key{"environment.python", "project", Type::string, "", "",
        "The directory of a pyproject.toml (and uv.lock), as <repo> or <repo>/<path>."},
    Key{"environment.python", "version", Type::string, "", "", "The version of Python, as 3.11."},
    Key{"environment.python", "interpreter", Type::string, "", "python3",
        "The interpreter, by name or by path."},
    Key{"environment.python", "editable", Type::strings, "", "[]",
        "Packages to install in editable form, as <repo> or <repo>/<path>."},
    Key{"environment", "setup", Type::tables, "", "", "A step of the baking."},
    Key{"environment.setup[]", "run", Type::string, "", "", "The command line, run by sh in /work."},
    Key{"environment.setup[]", "inputs", Type::strings, "", "[]",
        "The files that it reads, as <repo>/<path>: it sees no others."},
    Key{"environment", "network", Type::choice, "none|allow|host", "allow", "The network while baking."},
    Key{"environment", "allow", Type::strings, "", "what the steps need",
        "The hosts that baking may reach, as in network.allow."},
    Key{"environment", "env", Type::string_table, "", "",
        "Variables of every job. Not PATH, HOME, GIT_*, SCAD_* and others that scad sets itself."},
    Key{"environment", "gpu", Type::boolean, "", "false",
        "The host's graphics processors, with what their driver needs."},
    Key{"environment", "devices", Type::strings, "", "[]",
        "Other devices, by their path below /dev: character devices that you can open."},

    Key{"", "limits", Type::table, "", "", "What a session may use."},
    Key{"limits", "cpus", Type::number, "", "not limited", "Processors, in fractions if need be."},
    Key{"limits", "memory", Type::size, "", "not limited", "Memory of all jobs together."},
    Key{"limits", "pids", Type::integer, "", "4096", "Processes and threads of all jobs together."},
    Key{"limits", "disk", Type::size, "", "not limited", "What the session may write.", true},
    Key{"limits", "shm", Type::size, "", "half of memory", "The size of /dev/shm."},
    Key{"limits", "time", Type::duration, "", "not limited", "How long one job may run."},
    Key{"limits", "idle", Type::duration, "", "not limited", "How long one job may be silent."},
    Key{"limits", "strict", Type::boolean, "", "false",
        "true: a limit that this host can hold only by a weaker means is an error."},

    Key{"", "network", Type::table, "", "", "What a session may reach."},
    Key{"network", "mode", Type::choice, "none|allow|host", "allow",
        "none: nothing. allow: the hosts in the list, through a proxy. host: the host's own network."},
    Key{"network", "allow", Type::strings, "", "[]",
        "Hosts: \"name\", \"*.suffix\", \"name:port\", an address with port, \"@python\", \"@npm\", \"*\" "
        "(any public "
        "address). Port 443 where none is named. The agent's own hosts are added."},

    Key{"", "agent", Type::table, "", "", "Who works in the session."},
    Key{"agent", "use", Type::string, "", "claude",
        "claude, codex, gemini, opencode, command, or the name of a file in .scad/agents."},
    Key{"agent", "model", Type::string, "", "the agent's own default", "The model, as the agent names it."},
    Key{"agent", "directory", Type::string, "", "the first repo", "Where jobs start; absolute."},
    Key{"agent", "login", Type::choice, "auto|environment|command|host|none", "auto",
        "What jobs sign in with. environment: a token or key of the caller's environment. command: what "
        "scad.<agent>.tokenCommand prints. host: the agent's own sign-in on this machine. auto: the first of "
        "these that is there. none: nothing."},
    Key{"agent", "env", Type::strings, "", "[]",
        "Names of variables that are handed through from the caller at injection, and never stored."},
    Key{"agent", "files", Type::strings, "", "the agent's own default",
        "Files and directories of your home that the agent's home gets a copy of when a session starts: "
        "memory, "
        "skills, commands. Never credentials or history."},
    Key{"agent", "mcp", Type::strings, "", "[]",
        "MCP servers of yours that the agent gets, by name; their secrets are handed to jobs, and never "
        "stored."},

    Key{"", "session", Type::table, "", "", "What sessions are like."},
    Key{"session", "branch", Type::string, "", "{session}",
        "The work branch in every repo; \"{session}\" stands for the session's name."},

    Key{"", "trigger", Type::tables, "", "", "What starts by itself."},
    Key{"trigger[]", "on", Type::choice, "post-commit|post-merge|post-checkout|post-rewrite|push", "",
        "A git hook of a host repo, or \"push\" to a session's remote."},
    Key{"trigger[]", "repo", Type::string, "", "", "The repo that it watches."},
    Key{"trigger[]", "paths", Type::strings, "", "[]",
        "Only when one of these changed (patterns); empty: any."},
    Key{"trigger[]", "branches", Type::strings, "", "[]", "Only on these branches (patterns); empty: any."},
    Key{"trigger[]", "session", Type::string, "", "new", "\"new\", or the session that gets the work."},
    Key{"trigger[]", "prompt", Type::string, "", "", "What to do. \"{path}\" stands for a changed path."},
};

std::string below(std::string_view section, std::string_view name) {
    return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

// The words of a choice as a person reads them: "'ro', 'rw' or 'cow'".
std::string words_phrase(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += "'" + words[i] + "'";
    }
    return text;
}

std::string did_you_mean(const std::vector<std::string>& names) {
    return names.empty() ? std::string() : "did you mean '" + names.front() + "'?";
}

std::string_view expectation(Type type) {
    switch (type) {
        case Type::string:
        case Type::text:
        case Type::choice:
            return "a string";
        case Type::boolean:
            return "true or false";
        case Type::integer:
            return "a whole number";
        case Type::number:
            return "a number";
        case Type::size:
            return "a size such as \"16GiB\"";
        case Type::duration:
            return "a duration such as \"1h30m\"";
        case Type::strings:
            return "a list of strings";
        case Type::string_table:
            return "a table of strings";
        case Type::table:
            return "a table";
        case Type::named_tables:
            return "a table of named tables";
        case Type::tables:
            return "a list of tables";
    }
    return "";
}

bool kind_fits(Type type, Node::Kind kind) {
    switch (type) {
        case Type::boolean:
            return kind == Node::Kind::boolean;
        case Type::integer:
            return kind == Node::Kind::integer;
        case Type::number:
            return kind == Node::Kind::integer || kind == Node::Kind::real;
        case Type::strings:
        case Type::tables:
            return kind == Node::Kind::array;
        case Type::string_table:
        case Type::table:
        case Type::named_tables:
            return kind == Node::Kind::table;
        default:
            return kind == Node::Kind::string;
    }
}

class ShapeCheck {
  public:
    explicit ShapeCheck(Problems& problems) : problems_(problems) {}

    // `shown`: the section as it is called in messages ("repos.code").
    void section(const Node& table, std::string_view section, const std::string& shown) {
        for (const auto& entry : table.entries) {
            if (const auto* key = find_key(section, entry.key)) {
                value(entry.value, *key, below(shown, toml_key(entry.key)));
            } else {
                unknown(entry, section, shown);
            }
        }
    }

  private:
    void unknown(const Entry& entry, std::string_view section, const std::string& shown) {
        auto message =
            "unknown key '" + entry.key + "'" + (shown.empty() ? std::string() : " in '" + shown + "'");
        auto names = names_in(section);
        auto hint = did_you_mean(base::nearest(entry.key, names, 1));
        if (hint.empty()) {
            // A key that is known elsewhere was most likely put into the wrong section.
            for (const auto& key : schema()) {
                if (key.name == entry.key) hint = "there is a key '" + full_name(key) + "'";
            }
        }
        if (hint.empty()) hint = "keys here are " + base::join(names, ", ");
        problems_.add(entry.place, message, hint);
    }

    void wrong(const Node& node, Type type, const std::string& shown) {
        problems_.add(node.place, "'" + shown + "' must be " + std::string(expectation(type)) + ", not " +
                                      std::string(kind_phrase(node.kind)));
    }

    void string(const Node& node, const Key& key, const std::string& shown) {
        auto malformed = [&](std::string_view what) {
            problems_.add(node.place,
                          "'" + shown + "' must be " + std::string(what) + ", not '" + node.text + "'");
        };
        if (key.type == Type::string && node.text.empty()) {
            problems_.add(node.place, "'" + shown + "' must not be empty");
        } else if (node.text.find('\0') != std::string::npos) {
            problems_.add(node.place, "'" + shown + "' must not contain a NUL character");
        } else if (key.type == Type::size && !base::parse_size(node.text)) {
            malformed(expectation(Type::size));
        } else if (key.type == Type::duration && !base::parse_duration(node.text)) {
            malformed(expectation(Type::duration));
        } else if (key.type == Type::choice) {
            auto words = base::split(key.words, '|');
            if (std::find(words.begin(), words.end(), node.text) != words.end()) return;
            problems_.add(node.place,
                          "'" + shown + "' must be " + words_phrase(words) + ", not '" + node.text + "'",
                          did_you_mean(base::nearest(node.text, words, 1)));
        }
    }

    void strings(const Node& node, const std::string& shown) {
        for (const auto& item : node.items) {
            if (item.kind != Node::Kind::string) {
                problems_.add(item.place, "'" + shown + "' must be a list of strings, and here is " +
                                              std::string(kind_phrase(item.kind)));
            } else if (item.text.empty()) {
                problems_.add(item.place, "'" + shown + "' must not have an empty string");
            } else if (item.text.find('\0') != std::string::npos) {
                problems_.add(item.place, "'" + shown + "' must not contain a NUL character");
            }
        }
    }

    void value(const Node& node, const Key& key, const std::string& shown) {
        if (!kind_fits(key.type, node.kind)) {
            wrong(node, key.type, shown);
            return;
        }
        switch (key.type) {
            case Type::strings:
                strings(node, shown);
                break;
            case Type::table:
                section(node, subsection(key), shown);
                break;
            case Type::tables:
                for (const auto& item : node.items) {
                    if (item.kind != Node::Kind::table) {
                        wrong(item, Type::table, shown);
                    } else {
                        section(item, subsection(key), shown);
                    }
                }
                break;
            case Type::named_tables:
                for (const auto& entry : node.entries) {
                    auto name = below(shown, toml_key(entry.key));
                    if (entry.value.kind != Node::Kind::table) {
                        wrong(entry.value, Type::table, name);
                    } else {
                        section(entry.value, subsection(key), name);
                    }
                }
                break;
            case Type::string_table:
                for (const auto& entry : node.entries) {
                    auto name = below(shown, toml_key(entry.key));
                    if (entry.value.kind != Node::Kind::string) {
                        problems_.add(entry.value.place, "'" + name + "' must be a string, not " +
                                                             std::string(kind_phrase(entry.value.kind)));
                    } else if (entry.value.text.find('\0') != std::string::npos) {
                        problems_.add(entry.value.place, "'" + name + "' must not contain a NUL character");
                    }
                }
                break;
            case Type::boolean:
            case Type::integer:
            case Type::number:
                break;
            default:
                string(node, key, shown);
        }
    }

    Problems& problems_;
};

} // namespace

std::span<const Key> schema() { return keys; }

std::string full_name(const Key& key) { return below(key.section, key.name); }

const Key* find_key(std::string_view section, std::string_view name) {
    for (const auto& key : keys) {
        if (key.section == section && key.name == name) return &key;
    }
    return nullptr;
}

std::string subsection(const Key& key) {
    auto name = full_name(key);
    if (key.type == Type::named_tables) return name + ".*";
    return key.type == Type::tables ? name + "[]" : name;
}

std::vector<std::string> names_in(std::string_view section) {
    std::vector<std::string> names;
    for (const auto& key : keys) {
        if (key.section == section) names.emplace_back(key.name);
    }
    return names;
}

void check_shape(const Node& document, Problems& problems) { ShapeCheck(problems).section(document, "", ""); }

} // namespace scad::project
