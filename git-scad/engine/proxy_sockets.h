#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace scad::engine {

// An address and a port as the kernel takes them; family AF_UNSPEC: `text` is no address (inet_pton(3)).
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_UNSPEC;
};
SocketAddress socket_address(const std::string& text, std::uint16_t port);

// Whether one of this host's interfaces has this address now: even a public one leads to its own services
// then, as loopback does.
bool is_own_address(const std::string& text);

// One half of a joined connection: bytes read from one side that the other has not taken yet.
struct Pipeline {
    std::string bytes;
    std::size_t sent = 0;
    bool ended = false;  // the source sent its last byte
    bool closed = false; // and the target was told

    bool empty() const { return sent == bytes.size(); }
};

// One recv(2) or send(2) without waiting, of at most 64 KiB. `failed`: the connection is broken.
enum class Moved { some, none, failed };
Moved read_some(int fd, Pipeline& pipeline);
Moved write_some(int fd, Pipeline& pipeline);

} // namespace scad::engine
