#include "protocol.h"

#include "base/error.h"

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace scad::remote_helper {
namespace {

constexpr std::size_t longest_line = 4096;

constexpr std::array<std::pair<std::string_view, Action::Kind>, 4> commands = {{
    {"capabilities", Action::Kind::capabilities},
    {"connect git-upload-pack", Action::Kind::upload_pack},
    {"connect git-receive-pack", Action::Kind::receive_pack},
    {"connect git-upload-archive", Action::Kind::upload_archive},
}};

} // namespace

Action parse_line(const std::optional<std::string>& line) {
    if (!line || line->empty()) return {Action::Kind::end};
    for (const auto& [text, kind] : commands)
        if (*line == text) return {kind};
    if (line->starts_with("option ")) return {Action::Kind::option};
    return {Action::Kind::unknown};
}

std::optional<std::string> read_line(int fd) {
    std::string line;
    for (;;) {
        char byte = 0;
        const auto count = ::read(fd, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw system_error(errno, "cannot read what git asks");
        if (count == 0) return line.empty() ? std::nullopt : std::optional(line);
        if (byte == '\n') return line;
        if (line.size() >= longest_line) throw fatal("git sent a line of more than {} bytes", longest_line);
        line += byte;
    }
}

} // namespace scad::remote_helper
