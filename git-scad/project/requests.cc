#include "project/requests.h"

#include "base/file.h"
#include "base/host_git.h"
#include "base/text.h"
#include "project/python_requests.h"

#include <algorithm>
#include <filesystem>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t agent_file_limit = std::size_t{1} << 20;
constexpr std::string_view host_network =
    "network host (loopback and abstract sockets of this machine are open to it)";

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

// A value inside of a line: what could be taken for something else (blanks at its ends, a newline) is quoted,
// so that the same text is always the same request and a file cannot write lines of its own.
std::string shown(std::string_view value) { return base::c_quote(value); }

class Collector {
  public:
    Collector(const Project& project, const base::Context& context) : project_(project), context_(context) {}

    std::vector<Wanted> collect() {
        repos();
        for (const auto& mount : project_.mounts) add_mount(mount);
        environment();
        network();
        agent();
        for (const auto& trigger : project_.triggers) {
            add(fmt::format("trigger {} in repo {}{}{}: session {}, prompt {}", trigger.on,
                            shown(trigger.repo), patterns(" on paths ", trigger.paths),
                            patterns(" on branches ", trigger.branches), shown(trigger.session),
                            shown(trigger.prompt)));
        }
        std::sort(wanted_.begin(), wanted_.end(),
                  [](const Wanted& left, const Wanted& right) { return left.line < right.line; });
        auto last = std::unique(wanted_.begin(), wanted_.end(), [](const Wanted& left, const Wanted& right) {
            return left.line == right.line;
        });
        wanted_.erase(last, wanted_.end());
        return std::move(wanted_);
    }

  private:
    void add(std::string line, std::vector<std::string> covered_by = {}) {
        wanted_.push_back({std::move(line), std::move(covered_by)});
    }

    static std::string patterns(std::string_view title, const std::vector<std::string>& values) {
        std::vector<std::string> parts;
        parts.reserve(values.size());
        for (const auto& value : values) parts.push_back(shown(value));
        return parts.empty() ? std::string() : std::string(title) + base::join(parts, ", ");
    }

    void repos() {
        for (const auto& repo : project_.repos) {
            if (!repo.url.empty()) {
                add(fmt::format("repo {} from {}", shown(repo.name), shown(repo.url)));
            } else if (real_path(repo.path) != real_path(project_.docs_repo)) {
                add(fmt::format("repo {} at {}", shown(repo.name), shown(real_path(repo.path).native())));
            }
            for (const auto& file : repo.include) {
                add(fmt::format("file {} of repo {}", shown(real_path(repo.path / file).native()),
                                shown(repo.name)));
            }
        }
    }

    void add_mount(const Mount& mount) {
        auto source = mount.source;
        if (source.find("{session}") == std::string::npos) source = real_path(source).native();
        auto line = [&](std::string_view how) {
            return fmt::format("mount {} {} from {}", shown(mount.target), how, shown(source));
        };
        // What may be written may be read, and a copy is read.
        switch (mount.mode) {
            case MountMode::rw:
                add(line("read-write"));
                break;
            case MountMode::ro:
                add(line("read-only"), {line("read-write")});
                break;
            case MountMode::cow:
                add(line("copy-on-write"), {line("read-only"), line("read-write")});
                break;
        }
    }

    void environment() {
        const auto& environment = project_.environment;
        if (environment.base != "host") add(fmt::format("environment from {}", shown(environment.base)));
        if (environment.base == "devcontainer") devcontainers();
        for (const auto& tool : environment.tools) {
            auto real = real_path(tool).native();
            add(real == tool ? fmt::format("tools {}", shown(tool))
                             : fmt::format("tools {} from {}", shown(tool), shown(real)));
        }
        for (const auto& package : environment.packages) add(fmt::format("package {}", shown(package)));
        if (environment.python) {
            const auto& python = *environment.python;
            for (const auto& file : python.requirements)
                add(fmt::format("python requirements {}", shown(file)));
            for (const auto& place : python.editable) add(fmt::format("python package {}", shown(place)));
            if (!python.project.empty()) add(fmt::format("python project {}", shown(python.project)));
            if (!python.interpreter.empty()) {
                fs::path interpreter = python.interpreter; // a bare name is looked up on PATH
                if (interpreter.has_parent_path()) {
                    interpreter = real_path(
                        base::expand_path(python.interpreter, context_.paths.home, project_.docs_repo));
                }
                add(fmt::format("python interpreter {}", shown(interpreter.native())));
            }
        }
        for (auto& line : python_requests(project_, context_.variables)) add(std::move(line));
        for (const auto& step : environment.setup) {
            add(fmt::format("setup {}{}", shown(step.run), patterns(" with ", step.inputs)));
        }
        if (environment.gpu) add("gpu");
        for (const auto& device : environment.devices)
            add(fmt::format("device {}", shown(real_path(device).native())));
        if (environment.network == NetworkMode::host) add("network host while baking");
        if (environment.network == NetworkMode::allow) {
            for (const auto& host : environment.network_allow) {
                add(fmt::format("network to {} while baking", shown(host)), {"network host while baking"});
            }
        }
    }

    void network() {
        if (project_.network.mode == NetworkMode::host) add(std::string(host_network));
        if (project_.network.mode != NetworkMode::allow) return;
        for (const auto& host : project_.network.allow) {
            std::vector<std::string> covered_by = {std::string(host_network)};
            // "*.debian.org" covers "deb.debian.org"; "*" does not cover names, which may be listed with a
            // port or an address of this machine.
            for (auto dot = host.find('.'); dot != std::string::npos; dot = host.find('.', dot + 1)) {
                covered_by.push_back(fmt::format("network to {}", shown("*" + host.substr(dot))));
            }
            add(fmt::format("network to {}", shown(host)), std::move(covered_by));
        }
    }

    void agent() {
        const auto& agent = project_.agent;
        for (const auto& name : agent.env) add(fmt::format("secret {}", shown(name)));
        for (const auto& file : agent.file_sources) add(fmt::format("agent file {}", shown(file)));
        if (agent.use == "command") return;
        const auto name = shown(agent.use);
        if (agent.login != "none") add(fmt::format("credentials of agent {}", name));
        if (project_.network.mode == NetworkMode::allow)
            add(fmt::format("network to the hosts of agent {}", name), {std::string(host_network)});
        if (!agent.files) add(fmt::format("memory, skills and commands of yours for agent {}", name));
        for (const auto& server : agent.mcp)
            add(fmt::format("MCP server {} of yours, with its secrets, for agent {}", shown(server), name));
        own_agent(agent.use);
    }

    // What a definition in the project asks for is all that it says: programs, hosts, names of secrets,
    // files.
    void own_agent(const std::string& name) {
        const auto file = fs::path(".scad/agents") / (name + ".toml");
        if (auto text = base::read_if_exists(project_.docs_repo / file, agent_file_limit))
            add(fmt::format("agent {} as defined by {} ({})", shown(name), shown(file.native()),
                            digest(*text)));
    }

    // Whatever lies beside devcontainer.json may feed it (Containerfiles, scripts), so the whole directory
    // counts, as the commit has it that sessions start from.
    void devcontainers() {
        for (const auto& repo : project_.repos) {
            if (repo.path.empty()) continue;
            for (const auto* place : {".devcontainer", ".devcontainer.json"}) {
                const auto object = fmt::format("{}:{}", repo.base.empty() ? "HEAD" : repo.base, place);
                const auto found = base::HostGit(repo.path, context_.variables)
                                       .try_run({"rev-parse", "-q", "--verify", "--end-of-options", object});
                if (found.ok())
                    add(fmt::format("devcontainer by {} of repo {} (object {})", place, shown(repo.name),
                                    base::trim(found.out)));
            }
        }
    }

    // Enough of a hash to tell contents apart where somebody wants them confused.
    static std::string digest(std::string_view content) {
        return "sha256 " + base::sha256_hex(content).substr(0, 40);
    }

    const Project& project_;
    const base::Context& context_;
    std::vector<Wanted> wanted_;
};

} // namespace

std::vector<Wanted> wanted_requests(const Project& project, const base::Context& context) {
    return Collector(project, context).collect();
}

} // namespace scad::project
