#pragma once

#include "base/fd.h"
#include "base/loop.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::engine {

// An allow list: "name", "*.suffix", "*" (any public address), each at port 443, or with ":port"; an address
// ("127.0.0.1:8080", "[::1]:8080") allows exactly itself, also when it is not public; "@python", "@npm" stand
// for the hosts of these registries. Pure.
class AllowList {
  public:
    // Fatal with the entry when one is malformed.
    static AllowList parse(const std::vector<std::string>& entries);
    // `host` as a client wrote it (any case, final dot). Whether this name or address may be asked for at
    // this port.
    bool allows(std::string_view host, std::uint16_t port) const;
    // Whether a connection to this address (as text, from the resolver or literal) is permitted for `host`:
    // global addresses, or listed ones. IPv4-mapped forms are seen through.
    bool allows_address(std::string_view host, std::string_view address, std::uint16_t port) const;

    // Whether this very address is listed for this port.
    bool lists_address(std::string_view address, std::uint16_t port) const;

  private:
    struct Rule {
        std::string name; // lower case; "*" any; ".suffix" for *.suffix; an address in canonical form
        std::uint16_t port = 443;
        bool address = false;
    };
    std::vector<Rule> rules_;
};

// Whether an address (as inet_ntop(3) writes it) is a global unicast one by the IANA special-purpose
// registries (RFC 6890). Loopback, private, shared (CGNAT), link-local, multicast, documentation,
// benchmarking, 6to4, Teredo and unspecified ones are not. IPv4-mapped and NAT64 (64:ff9b::/96) forms are
// judged by the IPv4 address in them. No address: false. Pure.
bool is_global_address(std::string_view address);

// "CONNECT host:port HTTP/1.x" -> host and port; empty: malformed. Pure.
struct ConnectTarget {
    std::string host;
    std::uint16_t port = 0;
};
std::optional<ConnectTarget> parse_connect(std::string_view head);

// The proxy of one live session: takes connections that jobs made inside, answers CONNECT only (405
// otherwise), resolves once on the host and relays. Heads of at most 8 KiB within 10 s, at most 256
// connections, idle ones are closed after 10 minutes. Name resolution never blocks the loop.
class Proxy {
  public:
    // `report` is called once for each refused host with "host:port" and the reason, for the log.
    Proxy(base::Loop& loop, AllowList allowed,
          std::function<void(std::string target, std::string reason)> report);
    ~Proxy();
    void accept(base::Fd connection);
    void set_allowed(AllowList allowed);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// The variables by which programs in a sandbox find the proxy at this port of its loopback, in both
// spellings. What is on the sandbox's own loopback is reached directly, but for addresses that `proxied`
// lists with a port: they are the host's. Pure.
std::vector<std::pair<std::string, std::string>> proxy_variables(
    std::uint16_t port, const std::vector<std::string>& proxied = {});

} // namespace scad::engine
