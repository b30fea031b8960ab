#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "project/discover.h"
#include "project/load.h"

#include <fmt/format.h>
#include <memory>

namespace scad::commands {

namespace {

struct Options {
    std::optional<std::string> project;
    Format format;
};

int show(const base::Context& context, const Options& options) {
    auto known = project::find_project(options.project, context);
    auto project = project::load(known.docs_repo, known.name, context);
    auto& terminal = context.terminal;
    if (options.format.json) {
        terminal.write(project::to_json(project));
        return 0;
    }
    terminal.start_pager();
    terminal.write(fmt::format("# {}\n", base::visible(project.file.native())));
    if (project.local_file) {
        terminal.write(fmt::format("# laid over it: {}\n", base::visible(project.local_file->native())));
    }
    terminal.write("\n" + project::to_toml(project));
    return 0;
}

} // namespace

Action set_up_config_show(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project, "the project; default: the one of the repo you stand in");
    add_json(app, options->format);
    return [options](Invocation& invocation) { return show(invocation.context, *options); };
}

} // namespace scad::commands
