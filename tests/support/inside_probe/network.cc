// Acts on sockets, and the server of the host's that they try to reach.

#include "acts.h"

#include <arpa/inet.h>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace probe {

namespace {

constexpr const char* greeting = "greetings from the host\n";

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Address internet_address(const std::string& host, std::uint64_t port) {
    Address address;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.size = sizeof v4;
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        std::memcpy(&address.storage, &v6, sizeof v6);
        address.size = sizeof v6;
    }
    return address;
}

// A path, or with '@' in front a name without one.
Address local_address(const std::string& name) {
    Address address;
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const std::size_t size = std::min(name.size(), sizeof local.sun_path - 1);
    std::memcpy(local.sun_path, name.data(), size);
    if (name.starts_with('@')) local.sun_path[0] = '\0';
    std::memcpy(&address.storage, &local, sizeof local);
    address.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + (name.starts_with('@') ? 0 : 1));
    return address;
}

const sockaddr* generic(const Address& address) {
    return reinterpret_cast<const sockaddr*>(&address.storage);
}

int connected(const Address& address) {
    int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval patience{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (fd >= 0 && ::connect(fd, generic(address), address.size) == 0) return fd;
    int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

std::string line_from(int fd) {
    std::string line;
    char letter = 0;
    while (line.size() < 4096 && ::recv(fd, &letter, 1, 0) == 1) {
        line += letter;
        if (letter == '\n') break;
    }
    return line;
}

Result greeted(int fd) {
    if (fd < 0) return refused();
    errno = ENODATA;
    return outcome(line_from(fd) == greeting);
}

Result connect_internet(const Words& words) {
    return greeted(connected(internet_address(words[0], number(words[1]))));
}
Result connect_local(const Words& words) { return greeted(connected(local_address(words[0]))); }

// Anybody at that address, without a greeting.
Result connect_any_local(const Words& words) { return outcome(connected(local_address(words[0])) >= 0); }

// A datagram needs no connection.
Result datagram(const Words& words) {
    Address address = local_address(words[0]);
    int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return outcome(fd >= 0 && ::sendto(fd, "x", 1, MSG_NOSIGNAL, generic(address), address.size) == 1);
}

// Through the proxy of a session; "<host>:<port>" as it stands.
Result through_proxy(const Words& words) {
    int fd = connected(internet_address("127.0.0.1", 3128));
    if (fd < 0) return refused();
    const std::string request = "CONNECT " + words[0] + " HTTP/1.1\r\nHost: " + words[0] + "\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return refused();
    const std::string status = line_from(fd);
    say("proxy: " + status.substr(0, status.find('\r')));
    if (status.find(" 200 ") == std::string::npos) return Result::closed;
    for (std::string line = status; !line.empty() && line != "\r\n";) line = line_from(fd);
    return greeted(fd);
}

// A whole request in other words than CONNECT; what the proxy answers.
Result raw_to_proxy(const Words& words) {
    int fd = connected(internet_address("127.0.0.1", 3128));
    if (fd < 0) return refused();
    const std::string request = words[0] + "\r\nHost: x\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return refused();
    std::string all;
    for (std::string line = line_from(fd); !line.empty(); line = line_from(fd)) all += line;
    say("proxy: " + all.substr(0, all.find('\r')));
    return outcome(all.find(greeting) != std::string::npos);
}

int listener(const Address& address) {
    int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::bind(fd, generic(address), address.size) == 0 && ::listen(fd, 16) == 0) return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

// Greets whoever comes: on 127.0.0.1, on [::1] at the same port where there is one, at a path, and at an
// abstract name; the port goes to a file when all of them listen.
Result serve(const Words& words) {
    std::vector<pollfd> waiting;
    auto add = [&](int fd) {
        if (fd >= 0) waiting.push_back({fd, POLLIN, 0});
        return fd >= 0;
    };
    int first = listener(internet_address("127.0.0.1", 0));
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    if (!add(first) || ::getsockname(first, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
        return refused();
    const auto port = ntohs(bound.sin_port);
    add(listener(internet_address("::1", port)));
    for (std::size_t i = 1; i < words.size(); ++i)
        if (!add(listener(local_address(words[i])))) return refused();
    std::FILE* file = std::fopen(words[0].c_str(), "we");
    if (file == nullptr) return refused();
    std::fprintf(file, "%u\n", unsigned{port});
    std::fclose(file);
    for (;;) {
        if (::poll(waiting.data(), waiting.size(), -1) < 0) return refused();
        for (const pollfd& one : waiting) {
            if (one.revents == 0) continue;
            int fd = ::accept(one.fd, nullptr, nullptr);
            if (fd < 0) continue;
            ::send(fd, greeting, std::strlen(greeting), MSG_NOSIGNAL);
            ::close(fd);
        }
    }
}

} // namespace

std::vector<Act> network_acts() {
    return {{"connect", 2, "<address> <port>", connect_internet},
            {"connect-unix", 1, "<path>|@<name>", connect_local},
            {"connect-any", 1, "<path>|@<name>", connect_any_local},
            {"datagram", 1, "<path>|@<name>", datagram},
            {"proxy", 1, "<host>:<port>", through_proxy},
            {"proxy-raw", 1, "<request line>", raw_to_proxy},
            {"serve", 1, "<port file> [<path>|@<name>]…", serve}};
}

} // namespace probe
