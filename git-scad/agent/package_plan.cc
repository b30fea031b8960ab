#include "agent/package_plan.h"

#include "agent/elf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace scad::agent {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_script = std::size_t{64} << 20;
constexpr int most_launchers = 8; // that lead from one to the next

// Programs that stand in for others and choose by their own name which.
constexpr std::array<std::string_view, 6> shims = {"mise",  "rtx",  "volta-shim",
                                                   "volta", "asdf", "proto-shim"};
constexpr std::array<std::string_view, 4> script_runtimes = {"node", "nodejs", "bun", "deno"};
constexpr std::array<std::string_view, 5> shells = {"sh", "bash", "dash", "zsh", "ksh"};

template <class List> bool is_one_of(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::canonical(path, error);
    if (error) throw fatal("cannot follow '{}': {}", path.string(), error.message());
    return real;
}

fs::path common_directory(const fs::path& one, const fs::path& other) {
    fs::path result;
    for (auto a = one.begin(), b = other.begin(); a != one.end() && b != other.end() && *a == *b; ++a, ++b) {
        result /= *a;
    }
    return result;
}

std::string home_of(const std::vector<std::string>& environment) {
    for (const auto& entry : environment) {
        if (entry.starts_with("HOME=")) return entry.substr(5);
    }
    return {};
}

Error cannot_bring(const std::string& name, const fs::path& path, std::string_view why) {
    return fatal("cannot bring '{}' into a session: '{}' {}", name, path.string(), why);
}

// What a found program comes down to.
struct Resolved {
    fs::path file;                    // real
    std::vector<std::string> runtime; // {"node", "--flag"}; empty: native
};

class Planner {
  public:
    Planner(std::string name, const std::vector<std::string>& environment)
        : name_(std::move(name)), environment_(environment) {}

    ProgramPlan plan(const fs::path& found) {
        auto resolved = follow(found);
        if (resolved.runtime.empty()) {
            plan_.entry = add_native(resolved.file, "", "bin/" + name_);
        } else {
            add_script(resolved);
            plan_.entry = "bin/" + name_;
        }
        plan_.path = {fs::path(plan_.entry).parent_path().string()};
        return std::move(plan_);
    }

  private:
    fs::path look_up(const std::string& program) {
        auto found = base::find_program(program, environment_);
        if (!found) {
            throw fatal("'{}' runs on '{}', which is not on PATH", name_, program)
                .with_hint("sudo apt install {}", program == "node" ? "nodejs" : program);
        }
        auto path = fs::absolute(*found);
        plan_.lookups[program] = path;
        return path;
    }

    // From launcher to launcher to a native program or a script for a runtime.
    Resolved follow(fs::path path) {
        std::vector<std::string> runtime; // given by a launcher: `exec node …`
        for (int i = 0; i < most_launchers; ++i) {
            plan_.sources.push_back(path);
            auto real = real_path(path);
            plan_.sources.push_back(real);
            auto file_name = real.filename().string();
            if (is_one_of(shims, file_name) && file_name != name_) {
                throw cannot_bring(name_, path, fmt::format("is a stand-in of '{}'", file_name))
                    .with_hint(
                        "put the directory of the real program first: PATH=<its directory>:$PATH git scad …");
            }
            if (read_elf(real)) return {real, {}};
            auto content = base::read_file(real, most_script);
            if (!runtime.empty()) return {real, runtime};
            auto shebang = parse_shebang(content);
            if (shebang.empty())
                throw cannot_bring(name_, real, "is neither a program nor a script with '#!'");
            auto interpreter = fs::path(shebang[0]).filename().string();
            if (is_one_of(script_runtimes, interpreter)) return {real, shebang};
            if (!is_one_of(shells, interpreter)) {
                throw cannot_bring(name_, real,
                                   fmt::format("runs on '{}', of which scad does not know what belongs to it",
                                               base::visible(interpreter)))
                    .with_hint("install a version that is one program of its own");
            }
            // npm's and pnpm's launchers lie beside the package that they start; they know it by their own
            // place.
            auto words = parse_launcher(content, fs::absolute(path).parent_path(), home_of(environment_));
            if (words.size() == 2 && is_one_of(script_runtimes, fs::path(words[0]).filename().string())) {
                runtime = {words[0]};
                words.erase(words.begin());
            }
            if (words.size() != 1) {
                throw cannot_bring(name_, real, "is a shell script that does more than start another program")
                    .with_hint(
                        "put the directory of the real program first: PATH=<its directory>:$PATH git scad …");
            }
            path = words[0].find('/') == std::string::npos ? look_up(words[0]) : fs::path(words[0]);
        }
        throw cannot_bring(name_, path, "is one of too many scripts that start each other");
    }

    // Adds a native program below `prefix`; returns what to run. Alone it is put at `target`.
    std::string add_native(const fs::path& file, const std::string& prefix, const std::string& target) {
        auto elf = read_elf(file);
        if (elf && !elf->interpreter.empty() && !is_system_path(elf->interpreter)) {
            throw cannot_bring(name_, file,
                               fmt::format("needs the loader '{}', which is not the system's",
                                           base::visible(elf->interpreter)))
                .with_hint("install a version that was built for this system");
        }
        auto libraries = find_libraries(file);
        for (const auto& library : libraries) plan_.sources.push_back(library.found);
        if (libraries.empty()) {
            plan_.trees[prefix + target] = file;
            return prefix + target;
        }
        bool relative =
            std::all_of(libraries.begin(), libraries.end(), [](const Library& l) { return l.relative; });
        if (relative) {
            auto top = file.parent_path();
            for (const auto& library : libraries) top = common_directory(top, library.found.parent_path());
            auto place = [&](const fs::path& path) { return prefix + path.lexically_relative(top).string(); };
            for (const auto& library : libraries)
                plan_.trees[place(library.found)] = real_path(library.found);
            plan_.trees[place(file)] = file;
            return place(file);
        }
        // The program looks for them at fixed places, which a session does not have.
        for (const auto& library : libraries)
            plan_.trees[prefix + "lib/" + library.name] = real_path(library.found);
        plan_.trees[prefix + "libexec/program"] = file;
        plan_.scripts[prefix + target] =
            "#!/bin/sh\n"
            "here=$(dirname \"$(readlink -f \"$0\")\")\n"
            "LD_LIBRARY_PATH=$here/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n"
            "export LD_LIBRARY_PATH\n"
            "exec \"$here/../libexec/program\" \"$@\"\n";
        return prefix + target;
    }

    std::string runtime_command(const std::string& runtime) {
        auto found = runtime.find('/') == std::string::npos ? look_up(runtime) : fs::path(runtime);
        auto resolved = follow(found);
        if (!resolved.runtime.empty()) throw cannot_bring(name_, found, "is a script and no program");
        if (is_system_path(resolved.file)) return base::shell_quote(resolved.file.string());
        auto file_name = resolved.file.filename().string();
        return "\"$here/../" + add_native(resolved.file, "runtime/", "bin/" + file_name) + "\"";
    }

    void add_script(const Resolved& resolved) {
        std::string place = "package/" + resolved.file.filename().string();
        auto packages = find_packages(resolved.file);
        if (packages.directories.empty()) {
            plan_.trees[place] = resolved.file;
        } else {
            auto at = [&](const fs::path& path) {
                auto inside = path.lexically_relative(packages.top);
                return inside == "." ? std::string("package") : "package/" + inside.string();
            };
            for (const auto& directory : packages.directories) {
                plan_.trees[at(directory)] = directory;
                plan_.sources.push_back(directory);
            }
            for (const auto& [path, text] : packages.links) {
                plan_.links[at(path)] = text;
                plan_.sources.push_back(path);
            }
            place = at(resolved.file);
        }
        std::string line = "exec " + runtime_command(resolved.runtime[0]);
        for (std::size_t i = 1; i < resolved.runtime.size(); ++i)
            line += " " + base::shell_quote(resolved.runtime[i]);
        // A script of its own, so that the runtime need not be on PATH, where it would hide the project's.
        plan_.scripts["bin/" + name_] = "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n" + line +
                                        " \"$here\"/" + base::shell_quote("../" + place) + " \"$@\"\n";
    }

    std::string name_;
    const std::vector<std::string>& environment_;
    ProgramPlan plan_;
};

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> result;
    for (auto& word : base::split(line, ' ')) {
        if (!word.empty()) result.push_back(std::move(word));
    }
    return result;
}

// A word of a shell command: plain, or in quotes, with nothing to expand but a leading $HOME.
std::optional<std::string> plain_word(std::string word, const std::string& home) {
    if (word.size() >= 2 && (word.front() == '"' || word.front() == '\'') && word.back() == word.front()) {
        word = word.substr(1, word.size() - 2);
    }
    for (std::string_view variable : {"$HOME/", "${HOME}/", "~/"}) {
        if (word.starts_with(variable) && !home.empty())
            word = fmt::format("{}/{}", home, word.substr(variable.size()));
    }
    if (word.empty() || word.find_first_of("\"'`$\\|&;<>()*?[]{}") != std::string::npos) return {};
    return word;
}

} // namespace

std::vector<std::string> parse_shebang(std::string_view content) {
    auto line = content.substr(0, std::min(content.find('\n'), std::size_t{512}));
    if (!line.starts_with("#!")) return {};
    std::string text(base::trim(line.substr(2)));
    std::replace(text.begin(), text.end(), '\t', ' ');
    auto words = words_of(text);
    if (words.empty()) return {};
    if (fs::path(words[0]).filename() == "env") {
        words.erase(words.begin());
        // -S splits the line as it was split here; assignments change nothing of what is run.
        while (!words.empty() && (words[0] == "-S" || words[0].find('=') != std::string::npos))
            words.erase(words.begin());
        if (!words.empty() && words[0].starts_with("-S")) words[0] = words[0].substr(2);
    }
    return words;
}

std::vector<std::string> parse_launcher(std::string_view content, const fs::path& directory,
                                        const std::string& home) {
    constexpr std::string_view base_mark = "\"$basedir/";
    if (content.find("basedir=$(dirname") != std::string_view::npos) {
        // All branches of these start the same program: the last one does so with what is on PATH.
        std::string target;
        for (const auto& line : base::lines(content)) {
            auto at = line.rfind(base_mark);
            auto end = at == std::string::npos ? at : line.find('"', at + base_mark.size());
            if (end == std::string::npos || line.find("\"$@\"", end) == std::string::npos) continue;
            target = line.substr(at + base_mark.size(), end - at - base_mark.size());
        }
        if (target.empty() || target.find('$') != std::string::npos) return {};
        return {(directory / target).lexically_normal().string()};
    }
    std::vector<std::string> result;
    for (const auto& raw : base::lines(content)) {
        auto line = base::trim(raw);
        if (line.empty() || line.starts_with('#') || line == "set -e" || line == "set -eu") continue;
        if (!line.starts_with("exec ") || !result.empty()) return {};
        auto words = words_of(line.substr(5));
        if (words.size() < 2 || words.back() != "\"$@\"") return {};
        words.pop_back();
        for (auto& word : words) {
            auto plain = plain_word(word, home);
            if (!plain) return {};
            result.push_back(std::move(*plain));
        }
    }
    return result;
}

ProgramPlan plan_program(const std::string& name, const fs::path& found,
                         const std::vector<std::string>& environment) {
    return Planner(name, environment).plan(found);
}

} // namespace scad::agent
