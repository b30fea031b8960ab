#include "commands/trusting.h"

#include "base/text.h"

#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

namespace scad::commands {

bool can_ask(const base::Terminal& terminal) {
    return ::isatty(STDIN_FILENO) != 0 && terminal.err_is_terminal();
}

bool agrees(base::Terminal& terminal, const std::string& project, const project::TrustCheck& check) {
    terminal.progress("");
    auto text = check.asks_again() ? fmt::format("project '{}' asks for more than was approved:\n", project)
                                   : fmt::format("project '{}' asks for\n", project);
    for (const auto& line : check.unapproved()) {
        text += terminal.style(base::Style::yellow, "  + " + base::visible(line), true);
        text += '\n';
    }
    terminal.error(text + "approve this? [y/N] "); // a question is asked even with -q
    terminal.flush();
    std::string answer;
    std::getline(std::cin, answer);
    const auto word = base::trim(answer);
    return word == "y" || word == "Y" || word == "yes";
}

void ask_for_trust(const base::Context& context, const project::Project& project) {
    const project::TrustCheck check(project, context);
    const auto lines = check.unapproved();
    if (lines.empty()) return;
    if (!can_ask(context.terminal)) throw project::not_trusted(project.name, lines);
    if (!agrees(context.terminal, project.name, check))
        throw no("'{}' was not approved", project.name)
            .with_hint("git scad config show {} tells what it is", project.name);
    check.approve();
}

} // namespace scad::commands
