#include "agent/mcp.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace scad::agent {

namespace {

constexpr std::size_t document_limit = std::size_t{64} << 20; // it holds history as well

std::string word_of(std::string_view text) {
    std::string word;
    for (const char c : text) {
        const auto letter = static_cast<unsigned char>(c);
        word += std::isalnum(letter) != 0 ? static_cast<char>(std::toupper(letter)) : '_';
    }
    return word;
}

// "${NAME}" and "${NAME:-otherwise}", as agents fill them in; what is not set stays as it is.
std::string fill_in(const std::string& text, const base::Variables& variables) {
    std::string filled;
    std::size_t at = 0;
    for (auto start = text.find("${"); start != std::string::npos; start = text.find("${", at)) {
        const auto end = text.find('}', start);
        if (end == std::string::npos) break;
        filled += text.substr(at, start - at);
        const auto inner = text.substr(start + 2, end - start - 2);
        const auto minus = inner.find(":-");
        if (const auto value = variables.get(inner.substr(0, minus)); value && !value->empty())
            filled += *value;
        else
            filled +=
                minus != std::string::npos ? inner.substr(minus + 2) : text.substr(start, end + 1 - start);
        at = end + 1;
    }
    return filled + text.substr(at);
}

// "https://name:8443/x" -> "name:8443", port 443 left out as in allow lists.
std::string host_of(std::string_view address) {
    const bool plain = address.starts_with("http://");
    if (!plain && !address.starts_with("https://")) return {};
    auto host = address.substr(address.find("://") + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    const bool has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
    return std::string(host) + (plain && !has_port ? ":80" : "");
}

class Servers {
  public:
    Servers(const nlohmann::json& known, const base::Variables& variables)
        : known_(known), variables_(variables) {}

    void add(const std::string& name) {
        auto server = known_.at(name);
        const auto prefix = "SCAD_MCP_" + word_of(name) + "_";
        if (auto found = server.find("url"); found != server.end() && found->is_string()) {
            if (auto host = host_of(fill_in(found->get<std::string>(), variables_)); !host.empty())
                servers_.hosts.push_back(std::move(host));
            hide(*found, prefix + "URL");
        }
        if (auto found = server.find("args"); found != server.end() && found->is_array()) {
            for (std::size_t i = 0; i < found->size(); ++i)
                hide((*found)[i], fmt::format("{}ARG_{}", prefix, i + 1));
        }
        for (const auto* table : {"env", "headers"}) {
            const auto found = server.find(table);
            if (found == server.end() || !found->is_object()) continue;
            for (auto& [key, value] : found->items())
                hide(value, fmt::format("{}{}_{}", prefix, word_of(table), word_of(key)));
        }
        document_[name] = std::move(server);
    }

    McpServers result() {
        servers_.document = base::to_text(document_);
        return std::move(servers_);
    }

  private:
    void hide(nlohmann::json& value, std::string variable) {
        if (!value.is_string()) return;
        while (servers_.secrets.contains(variable)) variable += '_'; // "a-b" and "a_b"
        servers_.secrets[variable] = fill_in(value.get<std::string>(), variables_);
        value = "${" + variable + "}";
    }

    const nlohmann::json& known_;
    const base::Variables& variables_;
    nlohmann::json document_ = nlohmann::json::object();
    McpServers servers_;
};

} // namespace

McpServers find_mcp_servers(const Agent& agent, const std::vector<std::string>& names, const UserHome& user) {
    if (names.empty()) return {};
    if (agent.home.mcp.empty()) throw fatal("{} takes no MCP servers from scad", agent.title);
    const auto path = host_path(agent, agent.home.mcp, user.home, user.variables);
    const auto text = base::read_if_exists(path, document_limit);
    const auto document = text ? base::parse_json(*text) : std::nullopt;
    const auto none = nlohmann::json::object();
    const auto* known = &none;
    if (document && document->is_object()) {
        const auto found = document->find("mcpServers");
        if (found != document->end() && found->is_object()) known = &*found;
    }
    std::vector<std::string> all;
    for (const auto& [name, server] : known->items())
        if (server.is_object()) all.push_back(name);
    Servers servers(*known, user.variables);
    for (const auto& name : names) {
        if (std::find(all.begin(), all.end(), name) == all.end()) {
            const auto near = base::nearest(name, all, 1);
            throw fatal("you have no MCP server '{}' in '{}'", name, path.native())
                .with_hint("{}", near.empty() ? agent.program + " mcp list"
                                              : fmt::format("did you mean '{}'?", near.front()));
        }
        servers.add(name);
    }
    return servers.result();
}

void write_mcp_servers(const Agent& agent, const McpServers& servers, const std::filesystem::path& target) {
    const auto path = target / agent.home.mcp;
    auto document = base::parse_json(base::read_if_exists(path, document_limit).value_or("{}"));
    if (!document || !document->is_object()) document = nlohmann::json::object();
    (*document)["mcpServers"] = base::parse_json(servers.document).value_or(nlohmann::json::object());
    base::make_directories(path.parent_path());
    base::replace_file(path, base::to_text(*document), 0600, base::Durability::plain);
}

} // namespace scad::agent
