#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "project/discover.h"
#include "project/load.h"
#include "project/trust.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace scad::commands {

namespace {

struct Options {
    std::optional<std::string> project;
    bool yes = false;
    Format format;
};

void print_json(base::Terminal& terminal, const project::Project& project,
                const std::vector<project::Request>& wanted, const std::vector<project::Request>& fresh) {
    auto list = nlohmann::json::array();
    for (const auto& request : wanted) {
        bool is_new = std::find(fresh.begin(), fresh.end(), request) != fresh.end();
        list.push_back({{"request", request.line}, {"approved", !is_new}});
    }
    terminal.write(base::to_text({{"version", 1}, {"project", project.name}, {"requests", list}}));
}

// The whole list, what was not approved yet marked with '+'.
void print(base::Terminal& terminal, const project::Project& project,
           const std::vector<project::Request>& wanted, const std::vector<project::Request>& fresh) {
    terminal.line(fmt::format("{} ({}) asks for", project.name, base::visible(project.file.native())));
    for (const auto& request : wanted) {
        bool is_new = std::find(fresh.begin(), fresh.end(), request) != fresh.end();
        auto line = (is_new ? "  + " : "    ") + base::visible(request.line);
        terminal.line(terminal.style(is_new ? base::Style::yellow : base::Style::plain, line));
    }
}

bool ask(base::Terminal& terminal) {
    terminal.flush();
    std::cerr << "approve this? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    auto word = base::trim(answer);
    return word == "y" || word == "Y" || word == "yes";
}

int trust(const base::Context& context, const Options& options) {
    auto known = project::find_project(options.project, context);
    auto project = project::load(known.docs_repo, known.name, context);
    auto& terminal = context.terminal;
    auto wanted = project::requests(project);
    auto fresh = project::unapproved(project, context.paths);
    if (options.format.json) {
        if (options.yes && !fresh.empty()) {
            project::approve(project, context.paths);
            fresh.clear();
        }
        print_json(terminal, project, wanted, fresh);
        return fresh.empty() ? 0 : 1;
    }
    if (wanted.empty()) {
        terminal.line(fmt::format("{} asks for nothing beyond its own repo", project.name));
        return 0;
    }
    print(terminal, project, wanted, fresh);
    if (fresh.empty()) {
        terminal.note("all of it was approved before");
        return 0;
    }
    if (!options.yes) {
        if (::isatty(STDIN_FILENO) == 0 || !terminal.err_is_terminal()) {
            throw no("'{}' was not approved: there is no terminal to ask on", project.name)
                .with_hint("git scad config trust --yes {}", project.name);
        }
        if (!ask(terminal)) throw no("'{}' was not approved", project.name);
    }
    project::approve(project, context.paths);
    terminal.note(
        fmt::format("approved; what {} asks for beyond this will be asked about again", project.name));
    return 0;
}

} // namespace

Action set_up_config_trust(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "the project; default: the one of the repo you stand in");
    add_flag(app, "-y,--yes", options->yes, "approve what is listed without asking");
    add_json(app, options->format);
    return [options](Invocation& invocation) { return trust(invocation.context, *options); };
}

} // namespace scad::commands
