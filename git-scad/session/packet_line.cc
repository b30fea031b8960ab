#include "session/packet_line.h"

#include "base/error.h"

#include <charconv>
#include <fmt/format.h>

namespace scad::session {
namespace {

constexpr std::size_t header = 4;
constexpr std::size_t longest = 65520;

} // namespace

std::string packet(std::string_view payload) {
    return fmt::format("{:04x}{}", payload.size() + header, payload);
}

void PacketReader::feed(std::string_view bytes) {
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_ += bytes;
}

std::optional<Packet> PacketReader::next() {
    const auto rest = std::string_view(buffer_).substr(at_);
    if (rest.size() < header) return std::nullopt;
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + header, length, 16);
    const bool known =
        error == std::errc{} && end == rest.data() + header && length != 3 && length <= longest;
    if (!known) throw fatal("it does not speak git's protocol");
    if (length < header) {
        at_ += header;
        return Packet{length == 0   ? Packet::Kind::flush
                      : length == 1 ? Packet::Kind::delimiter
                                    : Packet::Kind::response_end,
                      {}};
    }
    if (rest.size() < length) return std::nullopt;
    at_ += length;
    return Packet{Packet::Kind::data, std::string(rest.substr(header, length - header))};
}

} // namespace scad::session
