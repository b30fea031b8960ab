#include "agent/agent.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/all.h"
#include "commands/doctor_programs.h"
#include "commands/options.h"
#include "engine/host_check.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

std::vector<engine::Check> check_agents(const base::Context& context) {
    std::vector<engine::Check> checks;
    for (const auto& name : agent::agent_names()) {
        const auto agent = agent::find_agent(name);
        if (agent.program.empty()) continue; // runs what it is given
        engine::Check check;
        check.name = "agent " + name;
        check.needed = false;
        const auto found = base::find_program(agent.program, context.variables.entries());
        if (!found) {
            check.detail = fmt::format("no program '{}' on PATH", agent.program);
            check.remedy = agent.install;
        } else {
            // Programs of the user's, run as the user runs them.
            base::Command command;
            command.argv = {found->native(), "--version"};
            command.environment = context.variables.entries();
            command.timeout = std::chrono::seconds{20};
            const auto result = base::run(command);
            check.ok = result.ok();
            check.detail =
                check.ok
                    ? fmt::format("{} at {}", base::one_line(base::trim(result.out), 60), found->native())
                    : fmt::format("'{} --version' {}", found->native(),
                                  result.timed_out ? "did not end within 20 seconds"
                                                   : base::describe_wait_status(result.wait_status));
            if (!check.ok) check.remedy = agent.install;
        }
        checks.push_back(std::move(check));
    }
    return checks;
}

} // namespace

Action set_up_doctor(CLI::App& app) {
    auto format = std::make_shared<Format>();
    add_json(app, *format);
    return [format](Invocation& invocation) {
        const auto& context = invocation.context;
        auto& terminal = context.terminal;
        auto checks = engine::check_host(context);
        for (auto& check : check_agents(context)) checks.push_back(std::move(check));
        for (auto& check : check_programs(context)) checks.push_back(std::move(check));
        const bool bad = std::any_of(checks.begin(), checks.end(),
                                     [](const auto& check) { return check.needed && !check.ok; });
        if (format->json) {
            nlohmann::json document = {{"version", 1}, {"scad", base::version}, {"ok", !bad}};
            document["checks"] = nlohmann::json::array();
            for (const auto& check : checks)
                document["checks"].push_back({{"name", check.name},
                                              {"ok", check.ok},
                                              {"needed", check.needed},
                                              {"detail", check.detail},
                                              {"remedy", check.remedy}});
            terminal.write(base::to_text(document));
            return bad ? 1 : 0;
        }
        std::size_t widest = 0;
        for (const auto& check : checks) widest = std::max(widest, base::display_width(check.name));
        for (const auto& check : checks) {
            const auto style = check.ok       ? base::Style::green
                               : check.needed ? base::Style::red
                                              : base::Style::yellow;
            const auto* word = check.ok ? "ok" : check.needed ? "no" : "--";
            terminal.line(fmt::format("{}  {:<{}}  {}", terminal.style(style, word), check.name, widest,
                                      base::one_line(check.detail)));
            if (!check.ok && !check.remedy.empty())
                terminal.line(
                    fmt::format("{:{}}  mend it: {}", "", widest + 4, base::one_line(check.remedy)));
        }
        if (bad) terminal.note("sessions cannot run here until what says 'no' is mended");
        return bad ? 1 : 0;
    };
}

} // namespace scad::commands
