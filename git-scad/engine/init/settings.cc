#include "engine/init/settings.h"

#include "engine/init/system.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace scad::init {

std::optional<Settings> parse_settings(const Arguments& words) {
    Settings settings;
    for (std::size_t i = 1; i < words.size(); ++i) {
        std::size_t equals = words[i].find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        std::string_view name = words[i].substr(0, equals);
        auto value = parse_number(words[i].substr(equals + 1));
        if (!value) return std::nullopt;
        if (name == "processes")
            settings.limits.processes = *value;
        else if (name == "files")
            settings.limits.open_files = *value;
        else if (name == "size")
            settings.limits.file_size = *value;
        else if (name == "port" && *value > 0 && *value <= 65535)
            settings.port = static_cast<std::uint16_t>(*value);
        else
            return std::nullopt;
    }
    return settings;
}

int listen_on_loopback(std::uint16_t port) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) die("cannot make a socket");
    int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd, 128) != 0)
        die("cannot listen on 127.0.0.1:" + std::to_string(port));
    return fd;
}

} // namespace scad::init
