#include "session/ports.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/socket.h>

namespace scad::session {

namespace {

constexpr int grants_version = 1;
constexpr std::size_t longest_name = 32;
constexpr std::size_t most_ports = 64;

std::filesystem::path grants_file(const std::filesystem::path& directory) {
    return directory / "grants.json";
}

base::FileLock lock_leases(const base::Paths& paths) {
    base::make_directories(paths.locks());
    return base::FileLock::acquire(paths.locks() / ".leases"); // a session's name never starts with a dot
}

void write_grants(const std::filesystem::path& directory, const Grants& grants) {
    nlohmann::json document = {{"version", grants_version}, {"address", grants.address}};
    document["ports"] = nlohmann::json::array();
    for (const PortLease& lease : grants.ports)
        document["ports"].push_back({{"name", lease.name}, {"port", lease.port}});
    base::write_document(grants_file(directory), document);
}

// Of all sessions: those there are, those being made, and those that can be brought back.
struct Taken {
    std::set<std::uint16_t> ports;
    std::set<std::string> addresses;
};
Taken taken(const base::Paths& paths) {
    Taken found;
    for (const auto& parent : {paths.sessions(), paths.trash()}) {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
            Grants grants;
            try {
                grants = read_grants(entry.path());
            } catch (const Error&) { // it is damaged, or on its way out
                continue;
            }
            for (const PortLease& lease : grants.ports) found.ports.insert(lease.port);
            if (!grants.address.empty()) found.addresses.insert(grants.address);
        }
    }
    return found;
}

// Whether anything on the host could listen there now.
bool is_free_on_host(std::uint16_t port) {
    const base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return true;
    const int on = 1; // connections that have ended a moment ago do not count
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool is_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && name.size() <= longest_name && letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return letter(c) || c == '_' || (c >= '0' && c <= '9'); });
}

std::string variable_of(const std::string& name) {
    std::string variable = "SCAD_PORT_" + name;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return variable;
}

} // namespace

Grants read_grants(const std::filesystem::path& session_directory) {
    Grants grants;
    const auto document = base::read_document_if_exists(grants_file(session_directory), grants_version);
    if (!document) return grants;
    grants.address = base::find_string(*document, "address");
    const auto ports = document->find("ports");
    if (ports == document->end() || !ports->is_array()) return grants;
    for (const auto& lease : *ports)
        grants.ports.push_back(
            {base::get_string(lease, "name"), static_cast<std::uint16_t>(base::get_int(lease, "port"))});
    return grants;
}

std::uint16_t parse_port(std::string_view what, std::string_view text) {
    unsigned port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || port == 0 || port > 65535)
        throw usage("{} wants a port from 1 to 65535, not '{}'", what, text);
    return static_cast<std::uint16_t>(port);
}

PortLease parse_port_wish(const std::string& text) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    if (equals == std::string::npos || !is_name(name))
        throw usage("--port wants <name>=<port>, as web=3000, not '{}'", text);
    return {name, parse_port("--port", text.substr(equals + 1))};
}

void lease_ports(const base::Paths& paths, const std::filesystem::path& directory,
                 const std::vector<PortLease>& wishes) {
    if (wishes.size() > most_ports) throw usage("a session has at most {} ports", most_ports);
    const auto lock = lock_leases(paths);
    auto others = taken(paths);
    Grants grants = read_grants(directory);
    for (const PortLease& wish : wishes) {
        const auto same = [&](const PortLease& lease) {
            return variable_of(lease.name) == variable_of(wish.name);
        };
        if (std::any_of(grants.ports.begin(), grants.ports.end(), same))
            throw usage("two ports are called '{}'", wish.name);
        unsigned port = wish.port;
        while (port <= 65535 && (others.ports.contains(static_cast<std::uint16_t>(port)) ||
                                 !is_free_on_host(static_cast<std::uint16_t>(port))))
            ++port;
        if (port > 65535) throw fatal("no port from {} on is free", wish.port);
        others.ports.insert(static_cast<std::uint16_t>(port));
        grants.ports.push_back({wish.name, static_cast<std::uint16_t>(port)});
    }
    write_grants(directory, grants);
}

std::string own_address(const base::Paths& paths, const std::filesystem::path& directory,
                        const std::string& name) {
    const auto lock = lock_leases(paths);
    Grants grants = read_grants(directory);
    if (!grants.address.empty()) return grants.address;
    const auto others = taken(paths);
    // Where the name puts it, so that it is most likely the same again; 127.0.0.x is everybody's.
    unsigned place = 0;
    for (const char c : base::sha256_hex(name).substr(0, 4))
        place = place * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    constexpr unsigned places = 250 * 250;
    for (unsigned tried = 0; tried < places; ++tried) {
        const unsigned number = (place + tried) % places;
        auto address = fmt::format("127.83.{}.{}", 1 + number / 250, 1 + number % 250);
        if (others.addresses.contains(address)) continue;
        grants.address = std::move(address);
        write_grants(directory, grants);
        return grants.address;
    }
    throw fatal("all addresses in 127.83/16 are taken by sessions");
}

std::vector<std::pair<std::string, std::string>> port_variables(const std::vector<PortLease>& ports) {
    std::vector<std::pair<std::string, std::string>> variables;
    variables.reserve(ports.size());
    for (const PortLease& lease : ports)
        variables.emplace_back(variable_of(lease.name), std::to_string(lease.port));
    return variables;
}

} // namespace scad::session
