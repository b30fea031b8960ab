#include "base/version.h"

#include "commands/all.h"

#include <fmt/format.h>

namespace scad::commands {

Action set_up_version(CLI::App&) {
    return [](Invocation& invocation) {
        invocation.context.terminal.line(fmt::format("git-scad version {}", base::version));
        return 0;
    };
}

} // namespace scad::commands
