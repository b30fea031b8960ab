#include "remote-helper/answer_filter.h"

#include <catch2/catch.hpp>

using namespace scad;
using remote_helper::safe_payload;

// git prints what a server says of a push as it is.
TEST_CASE("nothing that moves a terminal passes", "[remote-helper]") {
    const auto [foreign, safe] = GENERATE(table<std::string, std::string>({
        {"\2plain text\n", "\2plain text\n"},
        {"\2 10%\r 20%\r", "\2 10%\r 20%\r"},
        {"\2\x1b]0;x\a\n", "\2?]0;x?\n"},
        {"\3\xc2\x9b"
         "1m",
         "\3??1m"},
        {"\2caf\xc3\xa9", "\2caf\xc3\xa9"},
        {"\2\xe2\x80\xae", "\2???"},
        {"\2half\xc2", "\2half?"}, // a half must not wait for its other one
        {"\2\x9b"
         "31m",
         "\2?31m"},
        {"\1"
         "000eunpack \x1b\n",
         "\1"
         "000eunpack ?\n"},
        {"ERR \x1b[2J", "ERR ?[2J"},
        {"\2\1\2\3", "\2???"},
    }));
    CHECK(safe_payload(foreign) == safe);
    CHECK(safe_payload(foreign).size() == foreign.size());
}

TEST_CASE("names and capabilities keep their form", "[remote-helper]") {
    const std::string advertised =
        std::string(40, 'a') + " refs/heads/main" + '\0' + "report-status side-band-64k\n";
    remote_helper::AnswerFilter filter;
    const auto stream = session::packet(advertised) + "0000";
    CHECK(filter.pass(std::string_view(stream).substr(0, 10)).empty());
    CHECK(filter.pass(std::string_view(stream).substr(10)) == stream);
}
