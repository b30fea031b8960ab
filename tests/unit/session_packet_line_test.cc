#include "session/packet_line.h"

#include "base/error.h"

#include <catch2/catch.hpp>

using namespace scad;
using session::Packet;
using Kind = session::Packet::Kind;

TEST_CASE("packets are found however the stream is cut", "[session]") {
    const std::string stream =
        session::packet("version 2\n") + "0001" + session::packet("") + session::packet("x") + "00020000";
    const auto piece = GENERATE(as<std::size_t>{}, 1, 2, 3, 5, 100);
    session::PacketReader reader;
    std::vector<Packet> found;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        reader.feed(std::string_view(stream).substr(at, piece));
        while (auto packet = reader.next()) found.push_back(*packet);
    }
    CHECK(found == std::vector<Packet>{{Kind::data, "version 2\n"},
                                       {Kind::delimiter, ""},
                                       {Kind::data, ""},
                                       {Kind::data, "x"},
                                       {Kind::response_end, ""},
                                       {Kind::flush, ""}});
    CHECK_FALSE(reader.in_the_middle());
}

TEST_CASE("what is no packet is refused", "[session]") {
    const auto bad = GENERATE(as<std::string>{}, "zzzz", "0003", "fff1", "-001", " 00a", "0x04");
    session::PacketReader reader;
    reader.feed(bad);
    CHECK_THROWS_AS(reader.next(), Error);
}
