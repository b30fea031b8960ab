#include "remote-helper/protocol.h"
#include "remote-helper/target.h"

#include "base/error.h"
#include "base/fd.h"

#include <catch2/catch.hpp>

using namespace scad;
using remote_helper::Action;

TEST_CASE("the helper understands git's lines and no others", "[remote-helper]") {
    using Kind = Action::Kind;
    const auto [line, kind] = GENERATE(table<std::string, Kind>({
        {"capabilities", Kind::capabilities},
        {"option progress true", Kind::option},
        {"option servpath /bin/sh", Kind::option}, // never obeyed on the host
        {"connect git-upload-pack", Kind::upload_pack},
        {"connect git-receive-pack", Kind::receive_pack},
        {"connect git-upload-archive", Kind::upload_archive},
        {"connect /bin/sh", Kind::unknown},
        {"connect git-upload-pack; id", Kind::unknown},
        {"list", Kind::unknown},
        {"fetch 0 refs/heads/main", Kind::unknown},
        {"", Kind::end},
    }));
    CAPTURE(line);
    CHECK(remote_helper::parse_line(line).kind == kind);
    CHECK(remote_helper::parse_line(std::nullopt).kind == Kind::end);
}

// A reader that takes more than its line eats the first packet of the service.
TEST_CASE("a line is read without a byte of what follows", "[remote-helper]") {
    auto pipe = base::make_pipe();
    base::write_all(pipe.write.get(), "connect git-upload-pack\n0000rest");
    pipe.write.reset();
    CHECK(remote_helper::read_line(pipe.read.get()) == "connect git-upload-pack");
    CHECK(base::read_all(pipe.read.get(), 100, "pipe") == "0000rest");
    CHECK_FALSE(remote_helper::read_line(pipe.read.get()));
}

TEST_CASE("an endless line is refused", "[remote-helper]") {
    auto pipe = base::make_pipe();
    base::write_all(pipe.write.get(), std::string(10'000, 'x'));
    pipe.write.reset();
    CHECK_THROWS_AS(remote_helper::read_line(pipe.read.get()), Error);
}

TEST_CASE("addresses of sessions", "[remote-helper]") {
    using remote_helper::Address;
    const auto [text, address] = GENERATE(table<std::string, Address>({
        {"alpha", {"alpha", ""}},
        {"alpha/docs", {"alpha", "docs"}},
        {"scad::alpha/docs", {"alpha", "docs"}},
        {"scad://alpha/docs", {"alpha", "docs"}},
        {"//alpha/docs/", {"alpha", "docs"}},
    }));
    CHECK(remote_helper::parse_address(text) == address);
    const auto bad = GENERATE(as<std::string>{}, "", "/", "scad::", "alpha/docs/x", "scad:///docs");
    CHECK_THROWS_AS(remote_helper::parse_address(bad), Error);
}
