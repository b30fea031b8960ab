#include "base/error.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "commands/trusting.h"
#include "project/discover.h"
#include "project/load.h"
#include "project/trust.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {

namespace {

struct Options {
    std::optional<std::string> project;
    bool yes = false;
    bool list = false;
    bool revoke = false;
    Format format;
};

void print_json(base::Terminal& terminal, const std::string& project, const project::TrustCheck& check,
                bool approved) {
    auto list = nlohmann::json::array();
    for (const auto& request : check.requests())
        list.push_back({{"request", request.line}, {"approved", approved || request.approved}});
    terminal.write(base::to_text({{"version", 1}, {"project", project}, {"requests", list}}));
}

int approve(const base::Context& context, const Options& options) {
    const auto known = project::find_project(options.project, context);
    const auto project = project::load(known.docs_repo, known.name, context);
    auto& terminal = context.terminal;
    const project::TrustCheck check(project, context);
    const auto fresh = check.unapproved();
    if (options.format.json) {
        if (options.yes && !fresh.empty()) check.approve();
        const bool approved = options.yes || fresh.empty();
        print_json(terminal, project.name, check, approved);
        return approved ? 0 : 1;
    }
    if (check.requests().empty()) {
        terminal.line(fmt::format("{} asks for nothing beyond its own repo", project.name));
        return 0;
    }
    if (fresh.empty()) {
        terminal.line(fmt::format("all that {} asks for was approved before", project.name));
        terminal.hint(fmt::format("git scad config trust --list {}", project.name));
        return 0;
    }
    if (options.yes) {
        terminal.line(fmt::format("{} ({}) asks for", project.name, base::visible(project.file.native())));
        for (const auto& line : fresh) terminal.line("  + " + base::visible(line));
    } else if (!can_ask(terminal)) {
        throw project::not_trusted(project.name, fresh)
            .with_hint("git scad config trust --yes {}", project.name);
    } else if (!agrees(terminal, project.name, check)) {
        throw no("'{}' was not approved", project.name);
    }
    check.approve();
    terminal.note(
        fmt::format("approved; what {} asks for beyond this will be asked about again", project.name));
    return 0;
}

// Those of that project. Where several docs repos have one of this name, the one that the user stands in.
std::vector<project::Approval> approvals_of(const base::Context& context, const std::string& name) {
    std::vector<project::Approval> found;
    for (auto& approval : project::approvals(context.paths)) {
        if (approval.project == name) found.push_back(std::move(approval));
    }
    if (found.empty())
        throw no("nothing was approved for a project '{}'", name).with_hint("git scad config trust --list");
    if (found.size() == 1) return found;
    const auto here = base::find_host_repo(context.directory, context.variables);
    for (auto& approval : found) {
        if (here && here->worktree == approval.docs_repo) return {std::move(approval)};
    }
    return found;
}

nlohmann::json to_json(const project::Approval& approval) {
    return {{"project", approval.project},
            {"docs_repo", approval.docs_repo},
            {"approved", approval.time},
            {"requests", approval.requests}};
}

int list(const base::Context& context, const Options& options) {
    auto& terminal = context.terminal;
    const auto found =
        options.project ? approvals_of(context, *options.project) : project::approvals(context.paths);
    if (options.format.json) {
        auto document = nlohmann::json::array();
        for (const auto& approval : found) document.push_back(to_json(approval));
        terminal.write(base::to_text({{"version", 1}, {"approvals", document}}));
        return 0;
    }
    if (options.project) {
        for (const auto& approval : found) {
            terminal.line(fmt::format("{} ({}), approved {}:", approval.project,
                                      base::visible(approval.docs_repo),
                                      base::format_age(approval.time, base::unix_now())));
            for (const auto& line : approval.requests) terminal.line("    " + base::visible(line));
        }
        return 0;
    }
    base::Table table({{"PROJECT"}, {"APPROVED"}, {"REQUESTS"}, {"DOCS REPO", false, true}});
    for (const auto& approval : found)
        table.add({{approval.project},
                   {base::format_age(approval.time, base::unix_now())},
                   {fmt::format("{}", approval.requests.size())},
                   {base::visible(approval.docs_repo)}});
    if (table.empty())
        terminal.note("nothing was approved yet");
    else
        terminal.write(table.render(terminal, table_width(terminal)));
    return 0;
}

int revoke(const base::Context& context, const Options& options) {
    const auto name = options.project ? *options.project : project::find_project({}, context).name;
    const auto found = approvals_of(context, name);
    if (found.size() > 1) {
        std::string places;
        for (const auto& approval : found) places += "\n    " + approval.docs_repo;
        throw fatal("there are approvals for several projects '{}':{}", name, places)
            .with_hint("git scad -C {} config trust --revoke {}", base::shell_quote(found.front().docs_repo),
                       name);
    }
    project::revoke(found.front());
    context.terminal.note(fmt::format(
        "revoked what was approved for {}; sessions that were started keep what they have", name));
    return 0;
}

int trust(const base::Context& context, const Options& options) {
    if (options.list + options.revoke + options.yes > 1)
        throw usage("--list, --revoke and --yes exclude each other");
    if (options.revoke && options.format.json) throw usage("--revoke and --json exclude each other");
    if (options.list) return list(context, options);
    return options.revoke ? revoke(context, options) : approve(context, options);
}

} // namespace

Action set_up_config_trust(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "the project; default: the one of the repo you stand in");
    add_flag(app, "-y,--yes", options->yes, "approve what is new without asking");
    add_flag(app, "--list", options->list, "list what was approved, of all projects or of one");
    add_flag(app, "--revoke", options->revoke, "forget what was approved");
    add_json(app, options->format);
    return [options](Invocation& invocation) { return trust(invocation.context, *options); };
}

} // namespace scad::commands
