#include "base/error.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "project/discover.h"
#include "project/load.h"
#include "project/trust.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {

namespace {

struct State {
    std::string word; // "trusted", "untrusted", "errors"
    base::Style style = base::Style::plain;
};

State state_of(const project::Known& known, const base::Context& context) {
    try {
        auto project = project::load(known.docs_repo, known.name, context);
        if (project::TrustCheck(project, context).unapproved().empty())
            return {"trusted", base::Style::green};
        return {"untrusted", base::Style::yellow};
    } catch (const Error&) { // `config check` tells which
        return {"errors", base::Style::red};
    }
}

int list(const base::Context& context, const Format& format) {
    check_format(format);
    auto& terminal = context.terminal;
    auto known = project::known_projects(context);
    auto document = nlohmann::json::array();
    base::Table table({{"PROJECT"}, {"STATE"}, {"FILE", false, true}});
    for (const auto& project : known) {
        auto state = state_of(project, context);
        if (format.json) {
            document.push_back({{"name", project.name},
                                {"state", state.word},
                                {"docs_repo", project.docs_repo.native()},
                                {"file", project.file.native()}});
        } else if (format.porcelain || format.nul) {
            terminal.write(base::porcelain_record(
                {project.name, state.word, project.docs_repo.native(), project.file.native()}, format.nul));
        } else {
            table.add({{project.name}, {state.word, state.style}, {base::visible(project.file.native())}});
        }
    }
    if (format.json) {
        terminal.write(base::to_text({{"version", 1}, {"projects", document}}));
    } else if (!table.empty()) {
        // A file's name is of use only whole, so where it goes to no terminal nothing is cut.
        constexpr std::size_t no_limit = 10000;
        terminal.write(table.render(terminal, terminal.out_is_terminal() ? terminal.width() : no_limit));
    } else if (known.empty()) {
        terminal.note("there is no project yet");
        terminal.hint("git scad init");
    }
    return 0;
}

} // namespace

Action set_up_config_list(CLI::App& app) {
    auto format = std::make_shared<Format>();
    add_format(app, *format);
    return [format](Invocation& invocation) { return list(invocation.context, *format); };
}

} // namespace scad::commands
