#include "agent/login.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace scad::agent {

namespace {

constexpr std::chrono::seconds command_limit{60};
constexpr std::size_t longest_token = std::size_t{16} << 10;
constexpr std::size_t longest_sign_in = std::size_t{1} << 20;

std::optional<Login> from_environment(const Agent& agent, const LoginHost& host) {
    for (const auto& name : agent.credentials) {
        auto value = host.variables.get(name);
        if (value && !value->empty()) return Login{name, std::move(*value), name, 0};
    }
    return std::nullopt;
}

Login token_login(const Agent& agent, std::string token, std::string source) {
    Login login{agent.token.variable, std::move(token), std::move(source), 0};
    for (const auto& [prefix, variable] : agent.token.by_prefix) {
        if (login.value.starts_with(prefix)) login.variable = variable;
    }
    return login;
}

// One word of what can be seen.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= longest_token &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::optional<Login> from_command(const Agent& agent, const LoginHost& host) {
    const auto line = host.token_command ? host.token_command() : std::nullopt;
    if (!line || base::trim(*line).empty()) return std::nullopt;
    base::Command command{
        .argv = {"/bin/sh", "-c", *line}, .directory = host.home, .environment = host.variables.entries()};
    command.timeout = command_limit;
    command.output_limit = longest_token * 2;
    const auto result = base::run(command);
    if (result.timed_out)
        throw fatal("the command of '{}' printed no token within {}", agent.token.setting,
                    base::format_duration(command_limit))
            .with_hint("git config --show-scope --get-all {}", agent.token.setting);
    if (!result.ok()) {
        throw fatal("the command of '{}' {}{}", agent.token.setting,
                    base::describe_wait_status(result.wait_status),
                    base::trim(result.err).empty() ? "" : ":\n" + std::string(base::trim(result.err)))
            .with_hint("git config --show-scope --get-all {}", agent.token.setting);
    }
    const auto token = base::trim(result.out);
    if (!is_token(token)) // what it printed may be a secret all the same
        throw fatal("the command of '{}' printed no token", agent.token.setting)
            .with_hint("git config --show-scope --get-all {}", agent.token.setting);
    return token_login(agent, std::string(token), agent.token.setting);
}

const nlohmann::json* find(const nlohmann::json& document, const std::vector<std::string>& keys) {
    const auto* at = &document;
    for (const auto& key : keys) {
        const auto found = at->find(key);
        if (found == at->end()) return nullptr;
        at = &*found;
    }
    return at;
}

std::optional<Login> from_sign_in(const Agent& agent, const LoginHost& host) {
    if (agent.token.file.empty()) return std::nullopt;
    const auto path = host_path(agent, agent.token.file, host.home, host.variables);
    const auto text = base::read_if_exists(path, longest_sign_in);
    if (!text) return std::nullopt;
    const auto document = base::parse_json(*text);
    const auto* token = document && document->is_object() ? find(*document, agent.token.value) : nullptr;
    if (token == nullptr || !token->is_string() || !is_token(token->get_ref<const std::string&>()))
        return std::nullopt; // signed out leaves such a file
    auto login = token_login(agent, token->get<std::string>(), path.native());
    if (const auto* end = find(*document, agent.token.expires); end != nullptr && end->is_number_integer())
        login.expires = std::max<std::int64_t>(end->get<std::int64_t>() / 1000, 1);
    if (login.expires > 0 && login.expires <= host.now)
        throw fatal("the sign-in of {} on this machine expired {}", agent.title,
                    base::format_age(login.expires, host.now))
            .with_hint("{}", agent.token.renew.empty() ? agent.login_help : agent.token.renew);
    return login;
}

} // namespace

Login find_login(const Agent& agent, std::string_view mode, const LoginHost& host) {
    if (mode == "none" || (agent.credentials.empty() && agent.token.variable.empty())) return {};
    const bool any = mode == "auto";
    std::vector<std::string> lacks;
    if (any || mode == "environment") {
        if (auto login = from_environment(agent, host)) return std::move(*login);
        lacks.push_back(fmt::format("none of {} is set", base::join(agent.credentials, ", ")));
    }
    if ((any || mode == "command") && !agent.token.setting.empty()) {
        if (auto login = from_command(agent, host)) return std::move(*login);
        if (!any) lacks.push_back(fmt::format("'{}' is not set", agent.token.setting));
    }
    if ((any || mode == "host") && !agent.token.file.empty()) {
        if (auto login = from_sign_in(agent, host)) return std::move(*login);
        lacks.emplace_back("nobody is signed in on this machine");
    }
    if (lacks.empty()) throw fatal("{} has no login of the kind '{}'", agent.title, mode);
    throw fatal("{} has no credential here: {}", agent.title, base::join(lacks, ", and "))
        .with_hint("{}", agent.login_help);
}

} // namespace scad::agent
