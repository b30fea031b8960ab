#include "environment/facts.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "environment/requirement_facts.h"
#include "project/problems.h"
#include "project/rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <sys/stat.h>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_links = 40; // as the kernel's own limit (path_resolution(7))

class Gatherer {
  public:
    Gatherer(const project::Project& project, const Sources& sources, const base::Variables& variables)
        : project_(project), sources_(sources), variables_(variables) {}

    Facts gather() {
        for (const std::string& tool : project_.environment.tools) facts_.tools.push_back(look_at(tool));
        if (project_.environment.python) python(*project_.environment.python);
        for (std::size_t i = 0; i < project_.environment.setup.size(); ++i) {
            const auto& step = project_.environment.setup[i];
            facts_.setup.push_back(
                files_of(step.inputs, fmt::format("environment.setup[{}].inputs", i), step.place));
        }
        return std::move(facts_);
    }

  private:
    // At its place in the project file, with the caret.
    [[noreturn]] void refuse(const std::string& key, const base::Place& otherwise, const std::string& message,
                             const std::string& hint) const {
        const auto found = project_.places.find(key);
        const base::Place& place = found == project_.places.end() ? otherwise : found->second;
        project::Problems problems;
        if (auto text = place.file.empty() ? std::nullopt : base::read_if_exists(place.file))
            problems.add_source(place.file, std::move(*text));
        problems.add(place, message, hint);
        problems.require_none(fmt::format("the environment of project '{}' cannot be built", project_.name));
        throw fatal("{}", message); // not reached
    }

    static Tool look_at(const std::string& path) {
        Tool tool;
        tool.target = path;
        std::error_code error;
        tool.source = fs::canonical(path, error);
        if (error) throw fatal("there is no directory '{}', which 'environment.tools' names", path);
        tool.path = fs::is_directory(fs::path(path) / "bin", error) ? path + "/bin" : path;
        tool.mounted = !is_visible(path, {});
        return tool;
    }

    std::vector<std::string> search_path() const {
        std::vector<std::string> places;
        for (const Tool& tool : facts_.tools) places.push_back(tool.path);
        places.insert(places.end(), {"/usr/local/bin", "/usr/bin"});
        return places;
    }

    std::string find_inside(const std::string& name) const {
        const auto found = base::find_program(name, {"PATH=" + base::join(search_path(), ":")});
        return found ? found->native() : std::string();
    }

    // The first part of the way to a program, link by link, that a session does not see; empty: it sees all.
    std::string unseen_part(const fs::path& program) const {
        fs::path at = program.lexically_normal();
        for (std::size_t i = 0; i < most_links; ++i) {
            if (!is_visible(at.native(), facts_.tools)) return at.native();
            std::error_code error;
            const fs::path link = fs::read_symlink(at, error);
            if (error) return {};
            at = (at.parent_path() / link).lexically_normal();
        }
        return at.native();
    }

    void python(const project::Python& wanted) {
        PythonFacts& python = facts_.python.emplace();
        python.interpreter = find_interpreter(wanted);
        std::error_code error;
        const fs::path real = fs::canonical(python.interpreter, error);
        struct stat status {};
        if (error || ::stat(real.c_str(), &status) != 0)
            throw fatal("cannot look at the interpreter '{}'", python.interpreter);
        python.identity = fmt::format("{} {} {}.{:09}", real.native(), status.st_size, status.st_mtim.tv_sec,
                                      status.st_mtim.tv_nsec);
        python.requirements = requirement_facts(
            wanted.requirements, sources_, [&](const std::string& message, const std::string& hint) {
                refuse("environment.python.requirements", wanted.place, message, hint);
            });
        if (!wanted.project.empty()) python_project(wanted, python);
        for (const std::string& place : wanted.editable)
            add_package(place, "environment.python.editable", wanted.place, python.editable);
    }

    std::string find_interpreter(const project::Python& wanted) const {
        const char* key =
            wanted.interpreter.empty() ? "environment.python.version" : "environment.python.interpreter";
        std::string name = wanted.interpreter;
        if (name.empty()) {
            const auto parts = base::split(wanted.version, '.');
            name = parts.empty() ? "python3" : "python" + parts[0] + (parts.size() > 1 ? "." + parts[1] : "");
        }
        if (name.find('/') == std::string::npos) {
            const std::string found = find_inside(name);
            if (found.empty()) {
                const auto outside = base::find_program(name, variables_.entries());
                refuse(key, wanted.place,
                       fmt::format("there is no '{}' that a session can see, in {}", name,
                                   base::join(search_path(), ", ")),
                       outside ? tools_hint(outside->native())
                               : fmt::format("install '{}' on this machine", name));
            }
            name = found;
        }
        if (const std::string unseen = unseen_part(name); !unseen.empty())
            refuse(key, wanted.place, fmt::format("a session cannot see the interpreter '{}'", unseen),
                   tools_hint(unseen));
        if (!base::find_program(name, {}))
            refuse(key, wanted.place, fmt::format("'{}' is no program", name), {});
        return name;
    }

    // What makes a program visible.
    static std::string tools_hint(const std::string& program) {
        fs::path directory = fs::path(program).parent_path();
        if (directory.filename() == "bin") directory = directory.parent_path();
        return fmt::format("it is seen with tools = [\"{}\"] in [environment]", directory.native());
    }

    void python_project(const project::Python& wanted, PythonFacts& python) {
        const std::string key = "environment.python.project";
        const RepoPath at = split_repo_path(wanted.project);
        const std::string below = at.path.empty() ? "" : at.path + "/";
        add_package(wanted.project, key, wanted.place, python.project);
        const auto& files = python.project[at.repo];
        const auto has = [&](const std::string& name) {
            return std::any_of(files.begin(), files.end(),
                               [&](const InputFile& file) { return file.path == below + name; });
        };
        if (!has("pyproject.toml"))
            refuse(key, wanted.place,
                   fmt::format("the base commit has no '{}/pyproject.toml'", wanted.project), {});
        if (!has("uv.lock")) return;
        python.uv = find_inside("uv");
        if (!python.uv.empty()) return;
        const auto outside = base::find_program("uv", variables_.entries());
        refuse(
            key, wanted.place,
            fmt::format("'{}/uv.lock' takes uv to install, and there is none that a session can see, in {}",
                        wanted.project, base::join(search_path(), ", ")),
            outside ? tools_hint(outside->native()) : "install uv into /usr/local/bin");
    }

    void add_package(const std::string& place, const std::string& key, const base::Place& otherwise,
                     Inputs& inputs) const {
        const RepoPath at = split_repo_path(place);
        auto files = package_layout(sources_.list(at.repo, {at.path}), at.path);
        if (files.empty())
            refuse(key, otherwise, fmt::format("the base commit of repo '{}' has no '{}'", at.repo, place),
                   commit_hint(at.repo));
        merge(inputs[at.repo], std::move(files));
    }

    std::string commit_hint(const std::string& repo) const {
        return fmt::format("only what is committed is seen: git -C {} status",
                           base::shell_quote(sources_.at(repo).repo.native()));
    }

    Inputs files_of(const std::vector<std::string>& places, const std::string& key,
                    const base::Place& otherwise) const {
        std::map<std::string, std::vector<std::string>> by_repo;
        for (const std::string& place : places) {
            const RepoPath at = split_repo_path(place);
            by_repo[at.repo].push_back(at.path);
        }
        Inputs inputs;
        for (const auto& [repo, paths] : by_repo) {
            auto files = sources_.list(repo, paths);
            for (const std::string& path : paths) {
                const bool there =
                    std::any_of(files.begin(), files.end(), [&wanted = path](const InputFile& file) {
                        return wanted.empty() || project::is_at_or_below(file.path, wanted);
                    });
                if (!there)
                    refuse(key, otherwise,
                           fmt::format("the base commit of repo '{}' has no '{}'", repo, path),
                           commit_hint(repo));
            }
            inputs[repo] = std::move(files);
        }
        return inputs;
    }

    const project::Project& project_;
    const Sources& sources_;
    const base::Variables& variables_;
    Facts facts_;
};

} // namespace

Facts gather_facts(const project::Project& project, const Sources& sources,
                   const base::Variables& variables) {
    return Gatherer(project, sources, variables).gather();
}

RepoPath split_repo_path(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) return {text, {}};
    return {text.substr(0, slash), text.substr(slash + 1)};
}

std::vector<InputFile> package_layout(const std::vector<InputFile>& all, const std::string& directory) {
    static constexpr std::array version_files = {"__init__.py", "__about__.py", "__version__.py",
                                                 "_version.py", "version.py",   "VERSION",
                                                 "VERSION.txt", "version.txt"};
    constexpr std::ptrdiff_t version_depth = 2; // pkg/version.py, src/pkg/version.py
    const std::string below = directory.empty() ? "" : directory + "/";
    std::set<InputFile> layout;
    for (const InputFile& file : all) {
        if (!file.path.starts_with(below)) continue;
        const std::string rest = file.path.substr(below.size());
        const auto depth = std::count(rest.begin(), rest.end(), '/');
        const std::string name = rest.substr(rest.rfind('/') + 1);
        const bool version =
            std::find(version_files.begin(), version_files.end(), name) != version_files.end();
        if (depth == 0 || (version && depth <= version_depth)) {
            layout.insert(file);
        } else if (name == "__init__.py") {
            layout.insert({file.path, "100644", ""});
        } else if (name.ends_with(".py")) {
            layout.insert({file.path.substr(0, file.path.rfind('/')), "040000", ""});
        }
    }
    return {layout.begin(), layout.end()};
}

bool is_visible(const std::string& path, const std::vector<Tool>& tools) {
    if (project::is_at_or_below(path, "/opt/scad")) return false;
    for (const char* place : {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/etc/alternatives"})
        if (project::is_at_or_below(path, place)) return true;
    return std::any_of(tools.begin(), tools.end(),
                       [&](const Tool& tool) { return project::is_at_or_below(path, tool.target); });
}

} // namespace scad::environment
