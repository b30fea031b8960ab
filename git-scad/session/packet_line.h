#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// The framing of git's wire protocol: gitprotocol-common(5), "pkt-line format". Pure.
namespace scad::session {

struct Packet {
    enum class Kind { data, flush, delimiter, response_end };
    Kind kind = Kind::data;
    std::string payload; // of data
    bool operator==(const Packet&) const = default;
};

inline constexpr std::string_view flush_packet = "0000";
inline constexpr std::string_view delimiter_packet = "0001";

// A data packet; at most 65516 bytes of payload.
std::string packet(std::string_view payload);

// Cuts a stream of bytes into packets.
class PacketReader {
  public:
    void feed(std::string_view bytes);
    // The next whole packet; empty: more bytes are needed. Fatal when what came is no packet; the reader
    // cannot go on then.
    std::optional<Packet> next();
    bool in_the_middle() const { return at_ < buffer_.size(); } // of a packet

  private:
    std::string buffer_;
    std::size_t at_ = 0;
};

} // namespace scad::session
