#include "engine/init/system.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/close_range.h>
#include <unistd.h>

namespace scad::init {

int complain(const std::string& what, int status) {
    int error = errno;
    std::string line = "scad-init: " + what;
    if (error != 0) line += std::string(": ") + std::strerror(error);
    line += '\n';
    write_whole(2, line.data(), line.size());
    return status;
}

void die(const std::string& what) { std::_Exit(complain(what)); }

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

void close_all_but(std::vector<int> kept) {
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (int fd : kept) {
        if (fd < 3) continue;
        auto number = static_cast<unsigned>(fd);
        if (number > from) ::close_range(from, number - 1, 0);
        from = number + 1;
    }
    ::close_range(from, ~0U, 0);
}

bool write_whole(int fd, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        ssize_t n = ::write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

bool read_whole(int fd, std::string& text, std::size_t limit) {
    char buffer[65536];
    for (;;) {
        ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) return true;
        if (text.size() + static_cast<std::size_t>(n) > limit) {
            errno = EFBIG;
            return false;
        }
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

} // namespace scad::init
