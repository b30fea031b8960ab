#include "project/trust.h"

#include "base/json.h"
#include "base/text.h"
#include "project/show.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr int trust_version = 1;
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

// A request and the other requests that would cover it.
struct Wanted {
    std::string line;
    std::vector<std::string> covered_by;
};

class Collector {
  public:
    explicit Collector(const Project& project) : project_(project) {}

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
            if (!python.interpreter.empty())
                add(fmt::format("python interpreter {}", shown(python.interpreter)));
        }
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
        if (agent.use != "command") add(fmt::format("credentials of agent {}", shown(agent.use)));
        for (const auto& name : agent.env) add(fmt::format("secret {}", shown(name)));
        if (!agent.files) return;
        for (const auto& file : *agent.files)
            add(fmt::format("agent file {}", shown(real_path(file).native())));
    }

    const Project& project_;
    std::vector<Wanted> wanted_;
};

fs::path approval_file(const Project& project, const base::Paths& paths) {
    auto key = real_path(project.docs_repo).native() + '\0' + project.name;
    return paths.trust() / (base::sha256_hex(key).substr(0, 40) + ".json");
}

std::set<std::string> approved_lines(const Project& project, const base::Paths& paths) {
    auto document = base::read_document_if_exists(approval_file(project, paths), trust_version);
    if (!document) return {};
    auto lines = base::get_strings(*document, "requests");
    return {lines.begin(), lines.end()};
}

} // namespace

std::vector<Request> requests(const Project& project) {
    std::vector<Request> lines;
    for (auto& wanted : Collector(project).collect()) lines.push_back({std::move(wanted.line)});
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return lines;
}

std::vector<Request> unapproved(const Project& project, const base::Paths& paths) {
    auto wanted = Collector(project).collect();
    std::vector<Request> lines;
    if (wanted.empty()) return lines;
    auto approved = approved_lines(project, paths);
    for (auto& one : wanted) {
        auto is_approved = [&](const std::string& line) { return approved.contains(line); };
        if (is_approved(one.line) || std::any_of(one.covered_by.begin(), one.covered_by.end(), is_approved))
            continue;
        lines.push_back({std::move(one.line)});
    }
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return lines;
}

void approve(const Project& project, const base::Paths& paths) {
    std::vector<std::string> lines;
    for (auto& request : requests(project)) lines.push_back(std::move(request.line));
    nlohmann::json document = {{"version", trust_version},
                               {"docs_repo", real_path(project.docs_repo).native()},
                               {"project", project.name},
                               {"hash", base::sha256_hex(base::join(lines, "\n"))},
                               {"requests", lines}};
    base::make_directories(paths.trust());
    base::write_document(approval_file(project, paths), document);
}

void require_trust(const Project& project, const base::Paths& paths) {
    auto lines = unapproved(project, paths);
    if (lines.empty()) return;
    std::string list;
    for (const auto& request : lines) list += "\n    " + request.line;
    throw no("the project '{}' asks for what was not approved yet:{}", project.name, list)
        .with_hint("git scad config trust {}", project.name);
}

} // namespace scad::project
