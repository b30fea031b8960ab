#include "session/logins.h"

#include "base/text.h"

namespace scad::session {

namespace {

constexpr std::int64_t soon = 30 * 60; // seconds

} // namespace

const agent::Login& Logins::find(const agent::Agent& agent, const std::string& mode) {
    const auto key = std::pair(agent.name, mode);
    if (const auto known = found_.find(key); known != found_.end()) return known->second;
    const auto setting = [&] {
        return base::own_setting(agent.token.setting, context_.variables, context_.directory);
    };
    const auto now = base::unix_now();
    auto login = agent::find_login(agent, mode, {context_.variables, context_.paths.home, setting, now});
    auto& terminal = context_.terminal;
    if (!login.variable.empty()) terminal.detail(fmt::format("{} signs in by {}", agent.title, login.source));
    if (login.expires > 0 && login.expires - now < soon) {
        terminal.warning(fmt::format("the sign-in of {} on this machine expires in {}", agent.title,
                                     base::format_duration(std::chrono::seconds(login.expires - now))));
        if (!agent.token.renew.empty()) terminal.hint(agent.token.renew);
    }
    return found_.emplace(key, std::move(login)).first->second;
}

} // namespace scad::session
