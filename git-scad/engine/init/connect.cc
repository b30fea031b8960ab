#include "engine/init/modes.h"
#include "engine/init/system.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scad::init {

namespace {

constexpr std::size_t piece = 65536;

// On the loopback of this network name space, by either protocol.
int connect_to(std::uint16_t port) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&four), sizeof four) == 0) return fd;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&six), sizeof six) == 0) return fd;
    if (fd >= 0) ::close(fd);
    errno = error;
    return -1;
}

// Copies one way until the end, in a process of its own: each direction waits for its own reader alone.
void copy(int from, int to) {
    std::array<char, piece> buffer;
    for (;;) {
        const ssize_t count = ::read(from, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || !write_whole(to, buffer.data(), static_cast<std::size_t>(count))) return;
    }
}

} // namespace

int run_connect(const Arguments& words) {
    const auto port = words.size() == 1 ? parse_number(words[0]) : std::nullopt;
    if (!port || *port == 0 || *port > 65535) return complain("usage: scad-init connect <port>", 2);
    std::signal(SIGPIPE, SIG_IGN);
    const int fd = connect_to(static_cast<std::uint16_t>(*port));
    if (fd < 0) return complain("cannot connect to port " + std::string(words[0]));
    const pid_t inward = ::fork();
    if (inward < 0) return complain("cannot make a process");
    if (inward == 0) {
        ::close(1);
        copy(0, fd);
        ::shutdown(fd, SHUT_WR);
        ::_exit(0);
    }
    ::close(0);
    copy(fd, 1);
    return 0; // what still goes in has no reader any more
}

} // namespace scad::init
