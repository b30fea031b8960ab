#include "base/fd.h"
#include "session/supervisor.h"

#include <charconv>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace {

// Started by git-scad only; a person who tries it by hand is told so.
int complain() {
    constexpr std::string_view text =
        "usage: scad-supervisor <session directory> --ready <descriptor>\n"
        "This program is started by git scad: `git scad session start` and `git scad session resume`.\n";
    [[maybe_unused]] const auto written = ::write(2, text.data(), text.size());
    return 129;
}

} // namespace

int main(int argc, char** argv) {
    try {
        scad::base::open_standard_descriptors();
        if (argc != 4 || std::string_view(argv[2]) != "--ready") return complain();
        int ready = -1;
        const char* end = argv[3] + std::strlen(argv[3]);
        const auto parsed = std::from_chars(argv[3], end, ready);
        if (parsed.ec != std::errc{} || parsed.ptr != end || ready < 3) return complain();
        // No child may keep it: its end is what the starter waits for.
        if (::fcntl(ready, F_SETFD, FD_CLOEXEC) != 0) return complain();
        return scad::session::supervise(argv[1], scad::base::Fd(ready));
    } catch (const std::exception&) {
        return 1;
    }
}
