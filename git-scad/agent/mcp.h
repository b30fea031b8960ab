#pragma once

#include "agent/agent.h"
#include "agent/user_files.h"

#include <map>
#include <string>
#include <vector>

namespace scad::agent {

// The MCP servers of the caller's that a session gets, by name. What an agent reads in its home holds names
// and commands only: arguments, variables, headers and addresses, which may be secrets, stand there as
// "${SCAD_MCP_…}", and go to jobs as variables.
struct McpServers {
    std::string document; // the JSON object "mcpServers" for the home
    std::map<std::string, std::string>
        secrets;                    // variable -> value, with the caller's own "${NAME}" filled in
    std::vector<std::string> hosts; // that servers by address are reached at, for an allow list
};

// Reads them from the caller's document. Fatal: the agent has none, a name is not in it (nearest names).
McpServers find_mcp_servers(const Agent& agent, const std::vector<std::string>& names, const UserHome& user);

// Lays the servers over the agent's own document in the home of a session that was never started.
void write_mcp_servers(const Agent& agent, const McpServers& servers, const std::filesystem::path& target);

} // namespace scad::agent
