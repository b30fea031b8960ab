#include "engine/proxy_sockets.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace scad::engine {

namespace {

constexpr std::size_t buffer_size = std::size_t{64} << 10;

} // namespace

SocketAddress socket_address(const std::string& text, std::uint16_t port) {
    SocketAddress result;
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr = v4;
        std::memcpy(&result.storage, &address, sizeof address);
        result.size = sizeof address;
        result.family = AF_INET;
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        address.sin6_addr = v6;
        std::memcpy(&result.storage, &address, sizeof address);
        result.size = sizeof address;
        result.family = AF_INET6;
    }
    return result;
}

bool is_own_address(const std::string& text) {
    auto wanted = socket_address(text, 0);
    if (wanted.family == AF_INET6) { // ::ffff:1.2.3.4 reaches 1.2.3.4
        const auto& address = reinterpret_cast<sockaddr_in6*>(&wanted.storage)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&address)) {
            std::array<char, INET_ADDRSTRLEN> inner{};
            ::inet_ntop(AF_INET, &address.s6_addr[12], inner.data(), inner.size());
            wanted = socket_address(inner.data(), 0);
        }
    }
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return false;
    bool found = false;
    for (auto* entry = all; entry != nullptr && !found; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != wanted.family) continue;
        if (wanted.family == AF_INET) {
            found =
                std::memcmp(&reinterpret_cast<sockaddr_in*>(entry->ifa_addr)->sin_addr,
                            &reinterpret_cast<sockaddr_in*>(&wanted.storage)->sin_addr, sizeof(in_addr)) == 0;
        } else if (wanted.family == AF_INET6) {
            found = std::memcmp(&reinterpret_cast<sockaddr_in6*>(entry->ifa_addr)->sin6_addr,
                                &reinterpret_cast<sockaddr_in6*>(&wanted.storage)->sin6_addr,
                                sizeof(in6_addr)) == 0;
        }
    }
    ::freeifaddrs(all);
    return found;
}

Moved read_some(int fd, Pipeline& pipeline) {
    if (pipeline.empty()) {
        pipeline.bytes.clear();
        pipeline.sent = 0;
    }
    auto before = pipeline.bytes.size();
    pipeline.bytes.resize(before + buffer_size);
    auto got = ::recv(fd, pipeline.bytes.data() + before, buffer_size, MSG_DONTWAIT);
    int error = errno;
    pipeline.bytes.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got > 0) return Moved::some;
    if (got == 0) {
        pipeline.ended = true;
        return Moved::some;
    }
    return error == EAGAIN || error == EINTR ? Moved::none : Moved::failed;
}

Moved write_some(int fd, Pipeline& pipeline) {
    if (pipeline.empty()) return Moved::none;
    auto put = ::send(fd, pipeline.bytes.data() + pipeline.sent, pipeline.bytes.size() - pipeline.sent,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
        pipeline.sent += static_cast<std::size_t>(put);
        return Moved::some;
    }
    return errno == EAGAIN || errno == EINTR ? Moved::none : Moved::failed;
}

} // namespace scad::engine
