#include "environment/plan.h"

#include "base/text.h"
#include "project/requirements.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace scad::environment {

namespace {

// Raised whenever the same plan is baked into something else, so that old results are not taken for new ones.
constexpr int format_version = 2;

// Hash of a JSON value: keys in order and no blanks, so that the same is the same text.
std::string id_of(const nlohmann::json& depends_on) {
    const auto text = depends_on.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    return base::sha256_hex(text).substr(0, 40);
}

nlohmann::json to_json(const Inputs& inputs) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [repo, files] : inputs) {
        auto& list = json[repo] = nlohmann::json::array();
        for (const InputFile& file : files) list.push_back({file.path, file.mode, file.id});
    }
    return json;
}

// Fails with a plain sentence when the interpreter is of another version than wanted.
constexpr const char* check_version = R"(import sys
have = "%d.%d.%d" % sys.version_info[:3]
if (have + ".").startswith(sys.argv[1] + "."):
    sys.exit(0)
sys.exit("%s is Python %s, and environment.python.version is %s" % (sys.executable, have, sys.argv[1]))
)";

constexpr const char* make_venv = R"(set -eu
[ -z "$2" ] || "$1" -I -c "$4" "$2"
exec "$1" -I -m venv --symlinks "$3"
)";

class Planner {
  public:
    Planner(const project::Project& project, const Facts& facts) : project_(project), facts_(facts) {}

    Plan plan() {
        const auto& wanted = project_.environment;
        plan_.project = project_.name;
        plan_.key = project_.name + "-" + base::sha256_hex(project_.docs_repo.native()).substr(0, 12);
        plan_.base = wanted.base;
        plan_.tools = facts_.tools;
        plan_.network = wanted.network;
        plan_.hosts = wanted.network_allow.empty() ? needed_hosts(wanted, facts_) : wanted.network_allow;
        plan_.venv = facts_.python.has_value();
        for (const auto& repo : project_.repos) plan_.repos.push_back(repo.name);
        set_variables();
        nlohmann::json tools = nlohmann::json::array();
        for (const Tool& tool : plan_.tools) tools.push_back({tool.target, tool.source.native()});
        plan_.id = id_of({{"format", format_version},
                          {"base", plan_.base},
                          {"variables", plan_.variables},
                          {"tools", tools}});
        if (wanted.python) python(*wanted.python, *facts_.python);
        for (std::size_t i = 0; i < wanted.setup.size(); ++i) {
            const auto& step = wanted.setup[i];
            add("setup: " + base::one_line(step.run, 72), {"/bin/sh", "-c", step.run}, "/work",
                facts_.setup.at(i), {});
        }
        return std::move(plan_);
    }

  private:
    void set_variables() {
        std::map<std::string, std::string> variables(project_.environment.env.begin(),
                                                     project_.environment.env.end());
        std::vector<std::string> path;
        if (plan_.venv) {
            path.push_back(std::string(venv_path) + "/bin");
            variables.emplace("VIRTUAL_ENV", venv_path);
        }
        for (const Tool& tool : plan_.tools) path.push_back(tool.path);
        if (!path.empty()) variables["PATH"] = base::join(path, ":");
        plan_.variables.assign(variables.begin(), variables.end());
    }

    // `also`: what the result depends on beyond command and inputs.
    void add(std::string title, std::vector<std::string> argv, std::string directory, Inputs inputs,
             const std::string& also) {
        Step step;
        step.id = plan_.id = id_of({{"after", plan_.id},
                                    {"argv", argv},
                                    {"directory", directory},
                                    {"inputs", to_json(inputs)},
                                    {"also", also}});
        step.title = std::move(title);
        step.argv = std::move(argv);
        step.directory = std::move(directory);
        step.inputs = std::move(inputs);
        plan_.steps.push_back(std::move(step));
    }

    static std::vector<std::string> pip_install() {
        return {std::string(venv_path) + "/bin/python",
                "-m",
                "pip",
                "install",
                "--no-input",
                "--disable-pip-version-check",
                "--progress-bar",
                "off"};
    }

    void python(const project::Python& wanted, const PythonFacts& facts) {
        add("python: " + facts.interpreter,
            {"/bin/sh", "-c", make_venv, "venv", facts.interpreter, wanted.version, venv_path, check_version},
            "/", {}, facts.identity);
        if (!wanted.requirements.empty()) {
            auto argv = pip_install();
            for (const auto& file : wanted.requirements) argv.insert(argv.end(), {"-r", "/work/" + file});
            add("requirements: " + base::join(wanted.requirements, ", "), std::move(argv),
                facts.requirements.directory, facts.requirements.inputs, {});
        }
        if (!wanted.project.empty()) {
            const std::string place = "/work/" + wanted.project;
            if (facts.uv.empty()) {
                auto argv = pip_install();
                argv.insert(argv.end(), {"-e", place});
                add("project: " + wanted.project, std::move(argv), place, facts.project, {});
            } else {
                // --inexact leaves pip in the environment.
                add("project: " + wanted.project + " by its uv.lock",
                    {"/usr/bin/env", std::string("UV_PROJECT_ENVIRONMENT=") + venv_path,
                     "UV_PYTHON=" + facts.interpreter, facts.uv, "sync", "--frozen", "--inexact",
                     "--no-progress"},
                    place, facts.project, {});
            }
        }
        if (!wanted.editable.empty()) editable(wanted, facts);
    }

    void editable(const project::Python& wanted, const PythonFacts& facts) {
        auto argv = pip_install();
        Inputs inputs = facts.editable;
        if (facts.requirements.hashes) {
            // pip takes no directory where it wants hashes; all that the package needs is in the files then.
            argv.emplace_back("--no-deps");
            argv.insert(argv.end(), facts.requirements.options.begin(), facts.requirements.options.end());
        } else {
            for (const auto& file : wanted.requirements) argv.insert(argv.end(), {"-r", "/work/" + file});
        }
        for (const auto& [repo, files] : facts.requirements.inputs) merge(inputs[repo], files);
        for (const auto& place : wanted.editable) argv.insert(argv.end(), {"-e", "/work/" + place});
        add("editable: " + base::join(wanted.editable, ", "), std::move(argv),
            wanted.requirements.empty() ? "/work" : facts.requirements.directory, std::move(inputs), {});
    }

    const project::Project& project_;
    const Facts& facts_;
    Plan plan_;
};

// The words of a command line, roughly: enough to find the names of programs in it.
std::set<std::string> words_of(const std::string& command) {
    std::set<std::string> words;
    std::string word;
    for (const char c : command + " ") {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-') {
            word += c;
        } else {
            words.insert(std::exchange(word, {}));
        }
    }
    return words;
}

} // namespace

Plan plan_environment(const project::Project& project, const Facts& facts) {
    return Planner(project, facts).plan();
}

std::vector<std::string> needed_hosts(const project::Environment& environment, const Facts& facts) {
    static constexpr std::array python_programs = {"pip", "pip3", "python", "python3",
                                                   "uv",  "uvx",  "pipx",   "poetry"};
    static constexpr std::array node_programs = {"npm", "npx", "yarn", "pnpm", "corepack", "node"};
    std::set<std::string> hosts;
    if (environment.python) hosts.insert("@python");
    for (const auto& step : environment.setup) {
        const auto words = words_of(step.run);
        const auto names = [&](const char* program) { return words.contains(program); };
        if (std::any_of(python_programs.begin(), python_programs.end(), names)) hosts.insert("@python");
        if (std::any_of(node_programs.begin(), node_programs.end(), names)) hosts.insert("@npm");
    }
    if (facts.python) {
        for (const auto& address : facts.python->requirements.addresses) {
            auto host = project::host_of_address(address);
            if (!host.empty()) hosts.insert(std::move(host));
        }
    }
    return {hosts.begin(), hosts.end()};
}

} // namespace scad::environment
