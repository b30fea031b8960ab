#pragma once

#include "base/paths.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scad::session {

// A port number that is one session's own on this machine, as long as the session is there or can be brought
// back: what its jobs listen on collides with no other's, whatever network they have.
struct PortLease {
    std::string name; // "web": SCAD_PORT_WEB in the session
    std::uint16_t port = 0;
    bool operator==(const PortLease&) const = default;
};

// grants.json: what a session was given beside what its project says.
struct Grants {
    std::vector<PortLease> ports;
    std::string address; // in 127/8, for `session forward`; empty: none yet
};
Grants read_grants(const std::filesystem::path& session_directory); // a missing file is empty

// "web=3000". Error::usage when it is malformed.
PortLease parse_port_wish(const std::string& text);
// 1 to 65535. Error::usage, naming `what`.
std::uint16_t parse_port(std::string_view what, std::string_view text);

// Leases the wished ports, or the next ones above that are free, for the session in `directory` (which may
// still have a temporary name). Fatal when there is none.
void lease_ports(const base::Paths& paths, const std::filesystem::path& directory,
                 const std::vector<PortLease>& wishes);

// The address of a session's own in 127/8, given at the first call.
std::string own_address(const base::Paths& paths, const std::filesystem::path& directory,
                        const std::string& name);

// {"SCAD_PORT_WEB", "3000"}
std::vector<std::pair<std::string, std::string>> port_variables(const std::vector<PortLease>& ports);

} // namespace scad::session
