#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace scad::remote_helper {

// git's side of the conversation with a remote helper, one command a line (gitremote-helpers(7)). The helper
// speaks `connect` alone: git itself does the rest over the connection.
struct Action {
    enum class Kind {
        capabilities, // answer with capabilities_answer
        option,       // answer "unsupported"
        upload_pack,  // connect git-upload-pack
        receive_pack, // connect git-receive-pack
        upload_archive,
        end,     // an empty line, or end of file before any connection: leave with 0
        unknown, // cannot be answered
    };
    Kind kind = Kind::unknown;
};

inline constexpr std::string_view capabilities_answer = "connect\noption\n\n";

// What a line (without its newline; empty optional: end of file) asks for. Pure.
Action parse_line(const std::optional<std::string>& line);

// Reads one line from `fd`, byte by byte: what follows a `connect` line belongs to the service. Empty at end
// of file. Fatal above 4 KiB.
std::optional<std::string> read_line(int fd);

} // namespace scad::remote_helper
