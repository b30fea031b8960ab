#include "base/error.h"
#include "base/text.h"
#include "engine/proxy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace scad::engine {

namespace {

constexpr std::uint16_t https_port = 443;

// An IPv4 or IPv6 address as bytes; an IPv4-mapped one counts as the IPv4 address that it reaches.
struct Address {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{}; // the first four for IPv4
};

bool starts_with(const std::array<std::uint8_t, 16>& bytes, std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

// Only what inet_pton(3) takes: four decimal numbers, or an IPv6 address without a zone.
std::optional<Address> parse_address(std::string_view text) {
    std::string copy(text);
    Address address;
    if (::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;
    if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) != 1) return {};
    address.v6 = true;
    if (starts_with(address.bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) {
        Address mapped;
        std::copy_n(address.bytes.begin() + 12, 4, mapped.bytes.begin());
        return mapped;
    }
    return address;
}

std::string canonical(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
    return text.data();
}

struct Block4 {
    std::uint32_t network;
    int bits;
};

constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array<Block4, 16> not_global_4 = {{
    {ip4(0, 0, 0, 0), 8},      // this network
    {ip4(10, 0, 0, 0), 8},     // private
    {ip4(100, 64, 0, 0), 10},  // shared by carriers
    {ip4(127, 0, 0, 0), 8},    // loopback
    {ip4(169, 254, 0, 0), 16}, // link-local; metadata services
    {ip4(172, 16, 0, 0), 12},  // private
    {ip4(192, 0, 0, 0), 24},   // protocol assignments
    {ip4(192, 0, 2, 0), 24},   // documentation
    {ip4(192, 88, 99, 0), 24}, // 6to4 relays
    {ip4(192, 168, 0, 0), 16}, // private
    {ip4(198, 18, 0, 0), 15},  // benchmarking
    {ip4(198, 51, 100, 0), 24},
    {ip4(203, 0, 113, 0), 24},
    {ip4(224, 0, 0, 0), 4},      // multicast
    {ip4(240, 0, 0, 0), 4},      // reserved, broadcast
    {ip4(168, 63, 129, 16), 32}, // public in form, but a cloud's own host agent
}};

bool is_global_4(std::uint32_t address) {
    return std::none_of(not_global_4.begin(), not_global_4.end(), [&](const Block4& block) {
        return ((address ^ block.network) >> (32 - block.bits)) == 0;
    });
}

std::uint32_t number_4(const std::uint8_t* bytes) { return ip4(bytes[0], bytes[1], bytes[2], bytes[3]); }

bool is_global(const Address& address) {
    const auto& b = address.bytes;
    if (!address.v6) return is_global_4(number_4(b.data()));
    if (starts_with(b, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
        return is_global_4(number_4(&b[12]));
    if ((b[0] & 0xe0) != 0x20) return false; // all global unicast addresses of today are in 2000::/3
    if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false; // 2001::/23: Teredo, benchmarking, ORCHID
    if (starts_with(b, {0x20, 0x01, 0x0d, 0xb8})) return false;    // documentation
    if (starts_with(b, {0x20, 0x02})) return false;                // 6to4: any IPv4 address inside
    if (b[0] == 0x3f && b[1] == 0xff && (b[2] & 0xf0) == 0) return false; // documentation
    return true;
}

// What stands for several hosts.
struct Group {
    std::string_view name;
    std::vector<std::string_view> hosts;
};

const std::vector<Group>& groups() {
    static const std::vector<Group> all = {
        {"@python", {"pypi.org", "files.pythonhosted.org"}},
        {"@npm", {"registry.npmjs.org"}},
    };
    return all;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

// Lower case, without the final dot and without the brackets of an IPv6 literal.
std::string normal_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        return lower(host.substr(1, host.size() - 2));
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    return lower(host);
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

bool all_in(std::string_view text, std::string_view set) {
    return text.find_first_not_of(set) == std::string_view::npos;
}

// A DNS name in lower case. A last label that is a number (127.1, 2130706433, 0x7f.1, 0177.0.0.1) makes an
// address of it in the eyes of inet_aton(3), so it is none.
bool is_name(std::string_view host) {
    if (host.empty() || host.size() > 253) return false;
    auto labels = base::split(host, '.');
    if (!std::all_of(labels.begin(), labels.end(), is_label)) return false;
    std::string_view last = labels.back();
    if (all_in(last, "0123456789")) return false;
    return !(last.starts_with("0x") && all_in(last.substr(2), "0123456789abcdef"));
}

bool is_local_name(std::string_view host) { return host == "localhost" || host.ends_with(".localhost"); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
    unsigned port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
        return {};
    return static_cast<std::uint16_t>(port);
}

Error malformed(std::string_view entry, std::string_view why) {
    return fatal("allow list: '{}' {}", base::visible(entry), why)
        .with_hint(
            "write \"pypi.org\", \"*.debian.org\", \"example.com:8443\", \"*\" (any public address), "
            "\"192.168.1.5:8080\", \"[::1]:8080\", \"@python\" or \"@npm\"");
}

} // namespace

bool is_global_address(std::string_view address) {
    auto parsed = parse_address(address);
    return parsed && is_global(*parsed);
}

AllowList AllowList::parse(const std::vector<std::string>& entries) {
    AllowList list;
    for (const auto& entry : entries) {
        if (entry.starts_with('@')) {
            auto group = std::find_if(groups().begin(), groups().end(),
                                      [&](const Group& g) { return g.name == entry; });
            if (group == groups().end()) throw malformed(entry, "is no known group of hosts");
            for (auto host : group->hosts) list.rules_.push_back({std::string(host), https_port, false});
            continue;
        }
        std::string_view host = entry;
        Rule rule;
        rule.port = https_port;
        bool bare_v6 = std::count(host.begin(), host.end(), ':') > 1 && !host.starts_with('[');
        auto colon = host.rfind(':');
        if (!bare_v6 && colon != std::string_view::npos && !host.ends_with(']')) {
            auto port = parse_port(host.substr(colon + 1));
            if (!port) throw malformed(entry, "has no port from 1 to 65535 after the colon");
            rule.port = *port;
            host = host.substr(0, colon);
        }
        std::string name = normal_host(host);
        if (auto address = parse_address(name)) {
            rule.address = true;
            rule.name = canonical(*address);
        } else if (name.starts_with("*.") && is_name(name.substr(2))) {
            rule.name = name.substr(1);
        } else if (is_local_name(name)) {
            throw malformed(entry, "is this computer itself: list its address, such as '127.0.0.1:8080'");
        } else if (host == "*" || is_name(name)) {
            rule.name = name;
        } else {
            throw malformed(entry, "is neither a host name nor an address");
        }
        list.rules_.push_back(std::move(rule));
    }
    return list;
}

bool AllowList::allows(std::string_view host, std::uint16_t port) const {
    auto name = normal_host(host);
    auto address = parse_address(name);
    if (!address && (!is_name(name) || is_local_name(name))) return false;
    auto text = address ? canonical(*address) : name;
    return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
        if (rule.port != port) return false;
        if (address) return rule.address ? rule.name == text : rule.name == "*" && is_global(*address);
        if (rule.address) return false;
        if (rule.name == "*") return true;
        return rule.name.starts_with('.') ? name.ends_with(rule.name) && name.size() > rule.name.size()
                                          : name == rule.name;
    });
}

bool AllowList::allows_address(std::string_view host, std::string_view address, std::uint16_t port) const {
    auto parsed = parse_address(address);
    if (!parsed || !allows(host, port)) return false;
    if (is_global(*parsed)) return true;
    return lists_address(address, port);
}

bool AllowList::lists_address(std::string_view address, std::uint16_t port) const {
    auto parsed = parse_address(address);
    if (!parsed) return false;
    auto text = canonical(*parsed);
    return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
        return rule.address && rule.port == port && rule.name == text;
    });
}

std::vector<std::pair<std::string, std::string>> proxy_variables(std::uint16_t port,
                                                                 const std::vector<std::string>& proxied) {
    std::vector<std::pair<std::string, std::string>> variables;
    const auto proxy = fmt::format("http://127.0.0.1:{}", port);
    for (const auto* name :
         {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"})
        variables.emplace_back(name, proxy);
    std::vector<std::string> direct = {"localhost"};
    for (const std::string address : {"127.0.0.1", "::1"}) {
        const bool listed = std::any_of(proxied.begin(), proxied.end(), [&](const std::string& entry) {
            return entry.starts_with(address) || entry.starts_with("[" + address + "]");
        });
        if (!listed) direct.push_back(address);
    }
    for (const auto* name : {"no_proxy", "NO_PROXY"}) variables.emplace_back(name, base::join(direct, ","));
    return variables;
}

std::optional<ConnectTarget> parse_connect(std::string_view head) {
    auto line = head.substr(0, head.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    constexpr std::string_view method = "CONNECT ";
    if (!line.starts_with(method)) return {};
    line.remove_prefix(method.size());
    auto space = line.find(' ');
    if (space == std::string_view::npos) return {};
    auto version = line.substr(space + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return {};
    auto target = line.substr(0, space);
    auto colon = target.rfind(':');
    if (colon == std::string_view::npos) return {};
    auto port = parse_port(target.substr(colon + 1));
    auto host = target.substr(0, colon);
    if (!port) return {};
    if (host.starts_with('[')) {
        if (host.size() < 3 || host.back() != ']') return {};
        host = host.substr(1, host.size() - 2);
        auto address = parse_address(host);
        if (!address || host.find(':') == std::string_view::npos) return {};
        return ConnectTarget{std::string(host), *port};
    }
    auto name = normal_host(host);
    auto labels = base::split(name, '.');
    if (name.empty() || name.size() > 253 || !std::all_of(labels.begin(), labels.end(), is_label)) return {};
    return ConnectTarget{name, *port};
}

} // namespace scad::engine
