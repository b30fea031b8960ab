#include "project/resolve.h"

#include "base/device.h"
#include "base/suggest.h"
#include "project/load.h"
#include "project/reader.h"
#include "project/resolve_places.h"
#include "project/rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr std::array builtin_agents = {"claude", "codex", "gemini", "opencode", "command"};

NetworkMode network_mode(const std::string& word) {
    if (word == "none") return NetworkMode::none;
    return word == "host" ? NetworkMode::host : NetworkMode::allow;
}

class Resolver {
  public:
    Resolver(const Node& document, const base::Context& context, Project& project, Problems& problems)
        : document_(document), context_(context), project_(project), problems_(problems) {}

    void run() {
        resolve_repos(document_, context_, project_, problems_);
        resolve_mounts(document_, context_, project_, problems_);
        environment();
        limits();
        network();
        agent();
        session();
        triggers();
    }

  private:
    SectionReader section(std::string_view name) {
        return {document_.find(name), std::string(name), project_.places, problems_};
    }

    fs::path expand(const std::string& text) const {
        return base::expand_path(text, context_.paths.home, project_.docs_repo);
    }

    bool has_repo(std::string_view name) const {
        return std::any_of(project_.repos.begin(), project_.repos.end(),
                           [&](const Repo& repo) { return repo.name == name; });
    }

    std::vector<std::string> repo_names() const {
        std::vector<std::string> names;
        for (const auto& repo : project_.repos) names.push_back(repo.name);
        return names;
    }

    // "<repo>/<path>", or "<repo>" alone where a directory is meant.
    std::string repo_path_problem(const std::string& text, bool repo_alone) const {
        auto why = inner_path_problem(text);
        if (!why.empty()) return why;
        auto slash = text.find('/');
        if (slash == std::string::npos && !repo_alone) return "write <repo>/<path>";
        auto repo = text.substr(0, slash);
        if (has_repo(repo)) return {};
        return fmt::format("there is no repo '{}'; the repos are {}", repo, base::join(repo_names(), ", "));
    }

    // A directory of tools is seen at its own path; below /usr and /opt it is anyway.
    std::string tool_place_problem(const std::string& path) const {
        if (is_at_or_below(path, "/usr")) return {};
        if (is_at_or_below(path, "/opt")) return is_at_or_below(path, "/opt/scad") ? "it is scad's own" : "";
        auto why = mount_target_problem(path);
        for (const auto& mount : project_.mounts) {
            if (is_at_or_below(path, mount.target) || is_at_or_below(mount.target, path))
                why = fmt::format("there is a mount at '{}', and one cannot lie in another", mount.target);
        }
        for (const auto& repo : project_.repos) {
            if (is_at_or_below(path, "/work/" + repo.name)) why = "a session has a repo of its own there";
        }
        return why;
    }

    void environment() {
        auto from = section("environment");
        if (!from) return;
        auto& to = project_.environment;
        to.place = from.place();
        to.base = from.text("base", to.base);
        to.tools = from.strings("tools", [&](const std::string& tool) -> std::string {
            std::error_code error;
            auto path = expand(tool);
            if (!fs::is_directory(path, error)) return fmt::format("'{}' is no directory", path.native());
            return tool_place_problem(path.native());
        });
        for (auto& tool : to.tools) tool = expand(tool).native();
        to.packages = from.strings("packages");
        if (!to.packages.empty() && to.base == "host") {
            problems_.add(from.place("packages"), "'environment.packages' cannot be used with base 'host'",
                          "choose a base that scad may change, as base = \"debian:bookworm\"");
        }
        python(from);
        setup(from);
        to.network = network_mode(from.text("network", "allow"));
        to.network_allow = from.strings("allow", allow_problem);
        if (const auto* env = from.find("env", Node::Kind::table)) {
            for (const auto& entry : env->entries) {
                auto why = variable_problem(entry.key);
                if (!why.empty()) {
                    problems_.add(
                        entry.place, fmt::format("'environment.env' cannot set '{}': {}", entry.key, why),
                        entry.key == "PATH" ? "directories named in 'environment.tools' are put on PATH"
                                            : "");
                }
                if (entry.value.kind == Node::Kind::string) to.env[entry.key] = entry.value.text;
            }
        }
        to.gpu = from.boolean("gpu", false);
        to.devices = from.strings("devices", [](const std::string& device) -> std::string {
            if (!device.starts_with("/dev/") || !absolute_path_problem(device).empty())
                return "a device is a path below '/dev'";
            return base::device_problem(device);
        });
    }

    void python(const SectionReader& environment) {
        SectionReader from(environment.find("python", Node::Kind::table), "environment.python",
                           project_.places, problems_);
        if (!from) return;
        Python to;
        to.place = from.place();
        to.requirements = from.strings(
            "requirements", [&](const std::string& file) { return repo_path_problem(file, false); });
        to.editable =
            from.strings("editable", [&](const std::string& dir) { return repo_path_problem(dir, true); });
        to.project = from.text("project");
        auto why = to.project.empty() ? std::string() : repo_path_problem(to.project, true);
        if (!why.empty()) from.refuse("project", to.project, why);
        to.version = from.text("version");
        if (!python_version_problem(to.version).empty())
            from.refuse("version", to.version, python_version_problem(to.version));
        to.interpreter = from.text("interpreter");
        // A name is looked for where a session finds programs.
        if (to.interpreter.find('/') != std::string::npos) to.interpreter = expand(to.interpreter).native();
        if (from.has("project") && from.has("requirements")) {
            problems_.add(from.place("project"),
                          "'environment.python' has both 'project' and 'requirements'");
        }
        project_.environment.python = std::move(to);
    }

    void setup(const SectionReader& environment) {
        const auto* steps = environment.find("setup", Node::Kind::array);
        if (steps == nullptr) return;
        for (std::size_t i = 0; i < steps->items.size(); ++i) {
            SectionReader from(&steps->items[i], fmt::format("environment.setup[{}]", i), project_.places,
                               problems_);
            if (!from) continue;
            SetupStep step;
            step.place = from.place();
            step.run = from.text("run");
            if (!from.has("run")) problems_.add(from.place(), "a step of 'environment.setup' has no 'run'");
            step.inputs = from.strings(
                "inputs", [&](const std::string& file) { return repo_path_problem(file, true); });
            project_.environment.setup.push_back(std::move(step));
        }
    }

    void limits() {
        auto from = section("limits");
        if (!from) return;
        auto& to = project_.limits;
        to.place = from.place();
        if (const auto* whole = from.find("cpus", Node::Kind::integer))
            to.cpus = static_cast<double>(whole->integer);
        if (const auto* real = from.find("cpus", Node::Kind::real)) to.cpus = real->real;
        if (to.cpus && !(*to.cpus >= 0.01 && *to.cpus <= 4096)) {
            from.refuse("cpus", fmt::format("{}", *to.cpus), "it must be between 0.01 and 4096");
        }
        if (const auto* pids = from.find("pids", Node::Kind::integer)) {
            if (pids->integer < 8 || pids->integer > 4194304) {
                from.refuse("pids", fmt::format("{}", pids->integer), "it must be between 8 and 4194304");
            } else {
                to.pids = static_cast<std::uint64_t>(pids->integer);
            }
        }
        to.memory = size_of_at_least(from, "memory", std::uint64_t{16} << 20);
        to.disk = size_of_at_least(from, "disk", std::uint64_t{16} << 20);
        to.shm = size_of_at_least(from, "shm", std::uint64_t{64} << 10);
        if (to.memory && to.shm && *to.shm > *to.memory) {
            from.refuse("shm", from.text("shm"),
                        fmt::format("it is more than 'limits.memory', {}", from.text("memory")));
        }
        to.time = positive(from, "time");
        to.idle = positive(from, "idle");
        to.strict = from.boolean("strict", false);
    }

    static std::optional<std::uint64_t> size_of_at_least(const SectionReader& from, std::string_view key,
                                                         std::uint64_t least) {
        auto size = from.size(key);
        if (size && *size < least) {
            from.refuse(key, from.text(key), fmt::format("it must be at least {}", base::format_size(least)));
        }
        return size;
    }

    static std::optional<std::chrono::seconds> positive(const SectionReader& from, std::string_view key) {
        auto duration = from.duration(key);
        if (duration && duration->count() < 1)
            from.refuse(key, from.text(key), "it must be at least one second");
        return duration;
    }

    void network() {
        auto from = section("network");
        if (!from) return;
        project_.network.place = from.place();
        project_.network.mode = network_mode(from.text("mode", "allow"));
        project_.network.allow = from.strings("allow", allow_problem);
    }

    void agent() {
        auto& to = project_.agent;
        if (!project_.repos.empty()) to.directory = "/work/" + project_.repos.front().name;
        auto own = own_agents();
        auto from = section("agent");
        if (!from) return;
        to.place = from.place();
        to.use = from.text("use", to.use);
        std::vector<std::string> names(builtin_agents.begin(), builtin_agents.end());
        names.insert(names.end(), own.begin(), own.end());
        if (std::find(names.begin(), names.end(), to.use) == names.end()) {
            auto near = base::nearest(to.use, names, 1);
            from.refuse("use", to.use,
                        fmt::format("there is no such agent, built in or in '{}'",
                                    (project_.docs_repo / ".scad/agents").native()),
                        near.empty() ? "agents are " + base::join(names, ", ")
                                     : "did you mean '" + near.front() + "'?");
        }
        to.model = from.text("model");
        if (to.model.starts_with('-')) from.refuse("model", to.model, "it must not start with '-'");
        to.login = from.text("login", to.login);
        if (from.has("directory")) agent_directory(from);
        to.env = from.strings("env", variable_problem);
        if (from.find("files", Node::Kind::array) != nullptr) {
            to.files = from.strings("files", [&](const std::string& file) -> std::string {
                std::error_code error;
                auto path = expand(file);
                return fs::exists(path, error) ? "" : fmt::format("'{}' does not exist", path.native());
            });
            for (auto& file : *to.files) {
                std::error_code error;
                file = expand(file).native();
                to.file_sources.push_back(fs::weakly_canonical(file, error).native());
            }
        }
        to.mcp = from.strings("mcp");
    }

    // Names of .scad/agents/*.toml. One with a built-in's name would take its place unseen.
    std::set<std::string> own_agents() {
        std::set<std::string> names;
        std::error_code error;
        for (fs::directory_iterator entry(project_.docs_repo / ".scad" / "agents", error), end;
             !error && entry != end; entry.increment(error)) {
            if (entry->path().extension() != ".toml") continue;
            auto name = entry->path().stem().native();
            if (std::find(builtin_agents.begin(), builtin_agents.end(), name) != builtin_agents.end()) {
                problems_.add(
                    {entry->path().native(), 1, 1},
                    fmt::format("an agent of a project must not have the name of a built-in one, '{}'",
                                name));
            }
            names.insert(name);
        }
        return names;
    }

    void agent_directory(const SectionReader& from) {
        auto& to = project_.agent;
        to.directory = from.text("directory", to.directory);
        auto why = absolute_path_problem(to.directory);
        if (!why.empty()) {
            from.refuse("directory", to.directory, why);
            return;
        }
        if (to.directory == "/work" || is_at_or_below(to.directory, "/home/agent")) return;
        for (const auto& repo : project_.repos) {
            if (is_at_or_below(to.directory, "/work/" + repo.name)) return;
        }
        for (const auto& mount : project_.mounts) {
            if (is_at_or_below(to.directory, mount.target)) return;
        }
        std::vector<std::string> places;
        for (const auto& repo : project_.repos) places.push_back("/work/" + repo.name);
        auto near = base::nearest(to.directory, places, 1);
        from.refuse("directory", to.directory, "it lies in no repo and no mount of the session",
                    near.empty() ? std::string() : "did you mean '" + near.front() + "'?");
    }

    void session() {
        auto from = section("session");
        if (!from) return;
        project_.branch = from.text("branch", project_.branch);
        auto why = branch_problem(project_.branch);
        if (!why.empty()) from.refuse("branch", project_.branch, why);
    }

    void triggers() {
        const auto* list = document_.find("trigger");
        if (list == nullptr || list->kind != Node::Kind::array) return;
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            SectionReader from(&list->items[i], fmt::format("trigger[{}]", i), project_.places, problems_);
            if (!from) continue;
            Trigger to;
            to.place = from.place();
            for (const auto* key : {"on", "repo", "prompt"}) {
                if (!from.has(key)) problems_.add(from.place(), fmt::format("a trigger has no '{}'", key));
            }
            to.on = from.text("on");
            to.repo = from.text("repo");
            to.prompt = from.text("prompt");
            to.session = from.text("session", "new");
            if (!to.repo.empty() && !has_repo(to.repo)) {
                auto near = base::nearest(to.repo, repo_names(), 1);
                from.refuse("repo", to.repo, "there is no such repo in the project",
                            near.empty() ? std::string() : "did you mean '" + near.front() + "'?");
            }
            auto why = name_problem(to.session);
            if (!why.empty()) from.refuse("session", to.session, why);
            to.paths = from.strings("paths");
            to.branches = from.strings("branches");
            project_.triggers.push_back(std::move(to));
        }
    }

    const Node& document_;
    const base::Context& context_;
    Project& project_;
    Problems& problems_;
};

} // namespace

Project resolve(const Node& document, const fs::path& docs_repo, const std::string& name,
                const base::Context& context, Problems& problems) {
    Project project;
    project.name = name;
    project.docs_repo = docs_repo;
    project.file = docs_repo / ".scad" / (name + ".toml");
    Resolver(document, context, project, problems).run();
    return project;
}

} // namespace scad::project
