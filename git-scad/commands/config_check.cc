#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "project/check.h"
#include "project/discover.h"
#include "project/support.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {

namespace {

struct Options {
    std::vector<std::string> projects;
    Format format;
};

nlohmann::json to_json(const base::Place& place, const std::string& message, const std::string& hint) {
    nlohmann::json value = {
        {"file", place.file}, {"line", place.line}, {"column", place.column}, {"message", message}};
    if (!hint.empty()) value["hint"] = hint;
    return value;
}

// What a session of this project would miss or what does not do what it seems to.
std::vector<project::Unsupported> remarks(const project::Project& project) {
    auto all = project::unsupported(project);
    auto more = project::warnings(project);
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

class Check {
  public:
    Check(const base::Context& context, const Options& options) : context_(context), options_(options) {}

    int run() {
        std::vector<project::Known> chosen;
        if (options_.projects.empty()) {
            chosen = project::known_projects(context_);
            if (chosen.empty()) throw fatal("there is no project yet").with_hint("git scad init");
        }
        for (const auto& name : options_.projects) {
            try {
                chosen.push_back(project::find_project(name, context_));
            } catch (const Error& error) {
                fail({name, {}, {}}, error);
            }
        }
        for (const auto& known : chosen) {
            try {
                one(known);
            } catch (const Error& error) { // said, and the others are checked all the same
                fail(known, error);
            }
        }
        if (options_.format.json) {
            context_.terminal.write(base::to_text({{"version", 1}, {"projects", document_}}));
        }
        return status_;
    }

  private:
    void fail(const project::Known& known, const Error& error) {
        status_ = base::exit_status(Error::Kind::fatal);
        if (options_.format.json) {
            document_.push_back({{"name", known.name},
                                 {"file", known.file.native()},
                                 {"ok", false},
                                 {"errors", nlohmann::json::array({to_json({known.file.native(), 0, 0},
                                                                           error.message, error.hint)})},
                                 {"warnings", nlohmann::json::array()}});
        } else {
            context_.terminal.error(base::render_error(error));
        }
    }

    void one(const project::Known& known) {
        auto checked = project::check(known.docs_repo, known.name, context_);
        if (!checked.project) status_ = base::exit_status(Error::Kind::fatal);
        std::vector<project::Unsupported> warnings;
        if (checked.project) warnings = remarks(*checked.project);
        if (options_.format.json) {
            auto errors = nlohmann::json::array();
            for (const auto& problem : checked.problems.all()) {
                errors.push_back(to_json(problem.place, problem.message, problem.hint));
            }
            auto remarked = nlohmann::json::array();
            for (const auto& warning : warnings)
                remarked.push_back(to_json(warning.place, warning.message, {}));
            document_.push_back({{"name", known.name},
                                 {"file", known.file.native()},
                                 {"ok", checked.project.has_value()},
                                 {"errors", std::move(errors)},
                                 {"warnings", std::move(remarked)}});
            return;
        }
        auto& terminal = context_.terminal;
        if (!checked.project) {
            // Each message starts with its place, so that editors and terminals can jump to it.
            terminal.error(base::visible(checked.problems.render(), true) + "\n");
            terminal.error(fmt::format("fatal: the project '{}' has errors\n", known.name));
            return;
        }
        for (const auto& warning : warnings) {
            auto source =
                warning.place.file.empty() ? std::nullopt : base::read_if_exists(warning.place.file);
            terminal.warning(
                base::visible(base::message_at(warning.place, source.value_or(""), warning.message), true));
        }
        terminal.line(fmt::format("{}: ok", known.name));
    }

    const base::Context& context_;
    const Options& options_;
    nlohmann::json document_ = nlohmann::json::array();
    int status_ = 0;
};

} // namespace

Action set_up_config_check(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "project", options->projects, Count::any,
                  "projects to check; default: all that are known");
    add_json(app, options->format);
    return [options](Invocation& invocation) { return Check(invocation.context, *options).run(); };
}

} // namespace scad::commands
