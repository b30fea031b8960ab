#pragma once

#include "agent/agent.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::agent {

// Something of the caller's that a session's home got a copy of, or did not.
struct UserFile {
    std::string target;           // below the home: ".claude/skills"
    std::filesystem::path source; // as the caller has it
    std::uint64_t files = 0, bytes = 0;
    std::uint64_t left_out = 0; // of what is below it: links that lead out, what cannot be read
    std::string problem;        // why nothing of it was copied; empty: it was
    bool operator==(const UserFile&) const = default;
};

// A file or directory that was chosen: as it is named, and the real path that was approved.
struct ChosenFile {
    std::filesystem::path path, real;
};

// What the caller has.
struct UserHome {
    const base::Variables& variables;
    std::filesystem::path home;
};

// Fills the home of a session that was never started, at `target`: with copies of what the caller chose, or
// else of what the agent's definition names, and with the agent's own files, in which the chosen keys of the
// caller's settings are laid over. Credentials and history are left out whatever is chosen, links that lead
// out are not followed, and what is too large is not copied at all: that is told by the result. Fatal: a
// chosen file is a credential, lies outside of the home or leads elsewhere by now.
std::vector<UserFile> copy_user_files(const Agent& agent,
                                      const std::optional<std::vector<ChosenFile>>& chosen,
                                      const UserHome& user, const std::filesystem::path& target);

} // namespace scad::agent
