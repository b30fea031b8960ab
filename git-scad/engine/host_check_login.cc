#include "engine/host_check_login.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace scad::engine {

namespace {

// Below the user's own service manager; or in the scope of one login.
bool is_managed(const std::string& cgroup) { return cgroup.find("/user@") != std::string::npos; }
bool is_in_scope(const std::string& cgroup) {
    return cgroup.find("/session-") != std::string::npos && cgroup.find(".scope") != std::string::npos;
}

} // namespace

Login find_login(const base::Context& context) {
    Login login;
    std::error_code error;
    if (!std::filesystem::is_directory("/run/systemd/system", error)) return login; // sd_booted(3)
    for (const auto& line : base::lines(base::read_if_exists("/proc/self/cgroup").value_or("")))
        if (line.starts_with("0::")) login.cgroup = line.substr(3);
    if (const auto* user = ::getpwuid(::geteuid()); user != nullptr)
        login.lingers =
            std::filesystem::exists(fmt::format("/var/lib/systemd/linger/{}", user->pw_name), error);
    if (is_managed(login.cgroup) || !is_in_scope(login.cgroup)) return login;
    const auto loginctl = base::find_program("loginctl", context.variables.entries());
    if (!loginctl) return login;
    base::Command command;
    command.argv = {loginctl->native(), "show-session", "--property=KillUserProcesses", "--value"};
    command.environment = context.variables.minimal();
    command.timeout = std::chrono::seconds{5};
    login.kills = base::trim(base::run(command).out) == "yes";
    return login;
}

Check explain_login(const Login& login) {
    Check check{"logout", true, false, "live sessions go on", {}};
    if (is_managed(login.cgroup)) {
        check.ok = login.lingers;
        if (!check.ok) {
            check.detail = "live sessions end with your last logout: lingering is off";
            check.remedy = "loginctl enable-linger";
        }
    } else if (is_in_scope(login.cgroup) && login.kills) {
        // Lingering keeps the user's service manager, not what runs beside it.
        check.ok = false;
        check.detail = "live sessions end when you log out: KillUserProcesses is on";
        check.remedy = login.lingers ? "systemd-run --user --scope $SHELL"
                                     : "loginctl enable-linger && systemd-run --user --scope $SHELL";
    }
    return check;
}

} // namespace scad::engine
