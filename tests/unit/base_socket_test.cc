// Would catch: messages that are cut or mixed up, descriptors that get lost or leak, a peer's death taken for
// an error.
#include "base/error.h"
#include "base/socket.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace scad::base;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

} // namespace

TEST_CASE("messages keep their bounds", "[base][socket]") {
    auto [ours, theirs] = make_socket_pair();
    CHECK(ours.send("one"));
    CHECK(ours.send(std::string(message_limit, 'x')));
    CHECK(theirs.receive(0ms)->body == "one");
    CHECK(theirs.receive(0ms)->body.size() == message_limit);
    CHECK_FALSE(theirs.receive(0ms));
    CHECK_FALSE(theirs.at_end());
    CHECK_FALSE(theirs.receive(10ms));
    CHECK_FALSE(theirs.at_end());
    CHECK_THROWS_AS(ours.send(std::string(message_limit + 1, 'x')), Error);
    CHECK_THROWS_AS(ours.send(""), Error);
    CHECK_THROWS_AS(ours.send("x", std::vector<int>(message_fd_limit + 1, 0)), Error);
    ours.send("last");
    ours.close();
    CHECK(theirs.receive()->body == "last");
    CHECK_FALSE(theirs.receive());
    CHECK(theirs.at_end());
    CHECK_FALSE(theirs.send("x"));
    CHECK(theirs.try_send("x") == MessageSocket::Sent::gone);
}

TEST_CASE("descriptors travel", "[base][socket]") {
    auto [ours, theirs] = make_socket_pair();
    const std::size_t before = open_descriptors();
    {
        const Fd file = make_memory_file("x", "content");
        CHECK(ours.send("take", std::vector<int>(message_fd_limit, file.get())));
        const auto message = theirs.receive(0ms);
        REQUIRE(message);
        REQUIRE(message->fds.size() == message_fd_limit);
        CHECK(read_all(message->fds.front().get(), 100, "x") == "content");
        CHECK((::fcntl(message->fds.back().get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a full queue is told, not waited for", "[base][socket]") {
    auto [ours, theirs] = make_socket_pair();
    int sent = 0;
    auto result = MessageSocket::Sent::yes;
    while (sent < 10000 && (result = ours.try_send(std::string(10000, 'x'))) == MessageSocket::Sent::yes)
        ++sent;
    CHECK(result == MessageSocket::Sent::full);
    CHECK(sent > 5);
    CHECK(theirs.receive(0ms));
    CHECK(ours.try_send("x") == MessageSocket::Sent::yes);
}

TEST_CASE("truncated messages end the connection", "[base][socket]") {
    auto [ours, theirs] = make_socket_pair();
    const std::size_t before = open_descriptors();
    SECTION("too long") {
        const std::string body(message_limit + 1, 'x');
        REQUIRE(::send(ours.fd(), body.data(), body.size(), 0) > 0);
    }
    SECTION("too many descriptors") {
        constexpr std::size_t count = message_fd_limit + 4;
        char byte = 'x';
        iovec part{&byte, 1};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * count)] = {};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int) * count);
        for (std::size_t i = 0; i < count; ++i) reinterpret_cast<int*>(CMSG_DATA(first))[i] = 0;
        REQUIRE(::sendmsg(ours.fd(), &header, 0) == 1);
    }
    CHECK_FALSE(theirs.receive(0ms));
    CHECK(theirs.at_end());
    CHECK_FALSE(theirs.receive(0ms)); // and stays there
    CHECK(open_descriptors() == before);
}

TEST_CASE("listening and connecting", "[base][socket]") {
    const Scratch scratch;
    const fs::path directory = scratch / std::string(200, 'd'); // longer than an address
    CHECK_FALSE(connect_at(directory, "socket"));
    fs::create_directory(directory);
    CHECK_FALSE(connect_at(directory, "socket"));
    {
        const Fd listener = listen_at(directory, "socket");
        struct stat status {};
        REQUIRE(::stat((directory / "socket").c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
        CHECK_FALSE(accept_from(listener.get()));
        auto client = connect_at(directory, "socket");
        REQUIRE(client);
        auto server = accept_from(listener.get());
        REQUIRE(server);
        CHECK(client->send("hello"));
        CHECK(server->receive(1000ms)->body == "hello");
        CHECK(server->send("welcome"));
        server->close();
        CHECK(client->receive(1000ms)->body == "welcome");
        CHECK_FALSE(client->receive(1000ms));
        CHECK(client->at_end());
    }
    CHECK_FALSE(connect_at(directory, "socket")); // nobody listens any more
    const Fd again = listen_at(directory, "socket");
    CHECK(connect_at(directory, "socket"));
    scratch.file("plain");
    CHECK_THROWS_AS(listen_at(scratch.path(), "plain"), Error); // never in place of something else
    CHECK_THROWS_AS(listen_at(directory, std::string(120, 'n')), Error);
}
