// The allow list lets exactly what is listed through, whatever form a name or an address has, and the proxy
// keeps to it.
#include "engine/proxy.h"

#include "base/error.h"
#include "base/loop.h"
#include "engine/proxy_sockets.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace scad;
using engine::AllowList;
using engine::is_global_address;
using engine::parse_connect;

TEST_CASE("allow list: names and ports") {
    auto list = AllowList::parse({"pypi.org", "*.debian.org", "example.com:8443", "Mixed.Case.ORG."});
    CHECK(list.allows("pypi.org", 443));
    CHECK(list.allows("PyPI.org.", 443));
    CHECK(list.allows("deb.debian.org", 443));
    CHECK(list.allows("a.b.debian.org", 443));
    CHECK(list.allows("example.com", 8443));
    CHECK(list.allows("mixed.case.org", 443));

    CHECK_FALSE(list.allows("pypi.org", 80));
    CHECK_FALSE(list.allows("pypi.org..", 443));
    CHECK_FALSE(list.allows("www.pypi.org", 443));
    CHECK_FALSE(list.allows("evilpypi.org", 443));
    CHECK_FALSE(list.allows("pypi.org.evil.com", 443));
    CHECK_FALSE(list.allows("debian.org", 443));
    CHECK_FALSE(list.allows(".debian.org", 443));
    CHECK_FALSE(list.allows("evildebian.org", 443));
    CHECK_FALSE(list.allows("example.com", 443));
    CHECK_FALSE(list.allows("1.1.1.1", 443));
    CHECK_FALSE(list.allows("", 443));
    CHECK_FALSE(list.allows("pypi.org/x", 443));
    CHECK_FALSE(list.allows(std::string("pypi.org\0.debian.org", 20), 443));
}

TEST_CASE("allow list: the groups") {
    auto list = AllowList::parse({"@python", "@npm"});
    CHECK(list.allows("pypi.org", 443));
    CHECK(list.allows("files.pythonhosted.org", 443));
    CHECK(list.allows("registry.npmjs.org", 443));
    CHECK_FALSE(list.allows("npmjs.org", 443));
}

TEST_CASE("allow list: any public address, never a local one") {
    auto list = AllowList::parse({"*"});
    CHECK(list.allows("github.com", 443));
    CHECK(list.allows("1.1.1.1", 443));
    CHECK(list.allows("2606:4700::1111", 443));
    CHECK_FALSE(list.allows("github.com", 22));
    for (const char* host :
         {"localhost",        "LOCALHOST.",    "a.localhost", "127.0.0.1",       "127.1",    "2130706433",
          "0x7f.1",           "0x7f000001",    "0177.0.0.1",  "127.0.0.1.",      "::1",      "[::1]",
          "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1",
          "fe80::1",          "fe80::1%eth0",  "fd00::1",     "0.0.0.0",         "0",        "::",
          "64:ff9b::7f00:1",  "2002:7f00:1::"}) {
        INFO(host);
        CHECK_FALSE(list.allows(host, 443));
    }
}

TEST_CASE("allow list: an address allows exactly itself") {
    auto list = AllowList::parse({"127.0.0.2:8443", "[::1]:8080", "10.1.2.3", "fd00::5"});
    CHECK(list.allows("127.0.0.2", 8443));
    CHECK(list.allows("::ffff:127.0.0.2", 8443));
    CHECK(list.allows("::1", 8080));
    CHECK(list.allows("0:0:0:0:0:0:0:1", 8080));
    CHECK(list.allows("10.1.2.3", 443));
    CHECK(list.allows("FD00::5", 443));
    CHECK_FALSE(list.allows("127.0.0.2", 443));
    CHECK_FALSE(list.allows("127.0.0.1", 8443));
    CHECK_FALSE(list.allows("localhost", 8443));
    CHECK_FALSE(list.allows("::1", 443));

    CHECK(list.allows_address("127.0.0.2", "127.0.0.2", 8443));
    CHECK_FALSE(list.allows_address("127.0.0.2", "127.0.0.1", 8443));
    CHECK_FALSE(list.allows_address("127.0.0.2", "127.0.0.2", 443));
}

TEST_CASE("allow list: where a listed name may lead") {
    auto list = AllowList::parse({"rebind.example", "inside.example", "10.0.0.7"});
    CHECK(list.allows_address("rebind.example", "93.184.216.34", 443));
    CHECK_FALSE(list.allows_address("rebind.example", "127.0.0.1", 443));
    CHECK_FALSE(list.allows_address("rebind.example", "::ffff:10.0.0.8", 443));
    CHECK_FALSE(list.allows_address("rebind.example", "169.254.169.254", 443));
    CHECK_FALSE(list.allows_address("other.example", "93.184.216.34", 443));
    CHECK_FALSE(list.allows_address("rebind.example", "nonsense", 443));
    // Listed by itself as well: what could be asked for directly may be reached by name.
    CHECK(list.allows_address("inside.example", "10.0.0.7", 443));
}

TEST_CASE("global addresses") {
    for (const char* address :
         {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
          "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
        INFO(address);
        CHECK(is_global_address(address));
    }
    for (const char* address : {"0.1.2.3",
                                "10.255.0.1",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.255.255.254",
                                "169.254.0.1",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.0.0.1",
                                "192.0.2.1",
                                "192.88.99.1",
                                "192.168.255.255",
                                "198.18.0.1",
                                "198.19.255.255",
                                "198.51.100.1",
                                "203.0.113.9",
                                "224.0.0.1",
                                "239.1.1.1",
                                "240.0.0.1",
                                "255.255.255.255",
                                "168.63.129.16",
                                "::",
                                "::1",
                                "::7f00:1",
                                "::ffff:192.168.0.1",
                                "64:ff9b::a00:1",
                                "64:ff9b:1::808:808",
                                "100::1",
                                "2001::1",
                                "2001:db8::1",
                                "2001:10::1",
                                "2002:808:808::1",
                                "3fff::1",
                                "fc00::1",
                                "fd12::1",
                                "fe80::1",
                                "fec0::1",
                                "ff02::1",
                                "4000::1",
                                "",
                                "x",
                                "1.1.1",
                                "1.1.1.1 "}) {
        INFO(address);
        CHECK_FALSE(is_global_address(address));
    }
}

TEST_CASE("malformed entries are named") {
    for (const char* entry : {"", "*.", "**", "*foo.org", "a..b", "https://pypi.org",
                              "pypi.org:", "pypi.org:0", "pypi.org:65536", "pypi.org:x", "127.1",
                              "2130706433", "0x7f.1", "localhost:80", "@ruby", "a b", "[::1", "user@host"}) {
        INFO(entry);
        try {
            AllowList::parse({entry});
            FAIL("was taken");
        } catch (const Error& error) {
            CHECK(error.kind == Error::Kind::fatal);
            CHECK(error.message.find("'" + std::string(entry) + "'") != std::string::npos);
        }
    }
}

TEST_CASE("parse_connect") {
    auto ok = parse_connect("CONNECT PyPI.org.:443 HTTP/1.1\r\nHost: x\r\n");
    REQUIRE(ok);
    CHECK(ok->host == "pypi.org");
    CHECK(ok->port == 443);
    ok = parse_connect("CONNECT [::1]:8080 HTTP/1.0");
    REQUIRE(ok);
    CHECK(ok->host == "::1");
    CHECK(ok->port == 8080);
    for (const char* head :
         {"GET http://x/ HTTP/1.1", "connect x:1 HTTP/1.1", "CONNECT x HTTP/1.1", "CONNECT x:0 HTTP/1.1",
          "CONNECT x:70000 HTTP/1.1", "CONNECT x:443", "CONNECT x:443 HTTP/2", "CONNECT :443 HTTP/1.1",
          "CONNECT u@x:443 HTTP/1.1", "CONNECT x/y:443 HTTP/1.1", "CONNECT a..b:443 HTTP/1.1",
          "CONNECT ::1:443 HTTP/1.1", "CONNECT [::1:443 HTTP/1.1", "CONNECT [1.1.1.1]:443 HTTP/1.1",
          "CONNECT x:443 HTTP/1.1 y", "", "CONNECT ", "CONNECT \x1b[m:443 HTTP/1.1"}) {
        INFO(head);
        CHECK_FALSE(parse_connect(head));
    }
}

namespace {

// One client of a proxy with a server behind it on 127.0.0.1, all in one loop.
struct World {
    base::Loop loop;
    base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    std::uint16_t port = 0;
    base::Fd peer;
    base::Loop::Handle on_connection, on_data;
    std::vector<std::string> reports;

    World() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listener.get(), any, size) == 0);
        REQUIRE(::listen(listener.get(), 5) == 0);
        REQUIRE(::getsockname(listener.get(), any, &size) == 0);
        port = ntohs(address.sin_port);
        on_connection = loop.on_readable(listener.get(), [this] {
            peer = base::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            on_data = loop.on_readable(peer.get(), [this] { echo(); });
        });
    }

    // Sends back what comes, and ends when the other side has ended.
    void echo() {
        std::array<char, 4096> buffer{};
        auto got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
        if (got > 0) {
            [[maybe_unused]] auto put =
                ::send(peer.get(), buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
        } else {
            on_data.reset();
            peer.reset();
        }
    }

    std::string ask(engine::Proxy& proxy, const std::string& request) {
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0);
        base::Fd client(pair[0]);
        proxy.accept(base::Fd(pair[1]));
        REQUIRE(::send(client.get(), request.data(), request.size(), 0) ==
                static_cast<ssize_t>(request.size()));
        ::shutdown(client.get(), SHUT_WR);
        std::string answer;
        auto reader = loop.on_readable(client.get(), [&] {
            std::array<char, 4096> buffer{};
            auto got = ::recv(client.get(), buffer.data(), buffer.size(), 0);
            if (got > 0) return void(answer.append(buffer.data(), static_cast<std::size_t>(got)));
            loop.stop();
        });
        auto limit = loop.after(std::chrono::seconds{5}, [&] {
            answer += "(timed out)";
            loop.stop();
        });
        loop.run();
        return answer;
    }

    engine::Proxy make(const std::vector<std::string>& allowed) {
        return {loop, AllowList::parse(allowed),
                [this](const std::string& target, const std::string&) { reports.push_back(target); }};
    }
};

} // namespace

TEST_CASE("proxy: a listed address is joined both ways, with what came right after the head") {
    World world;
    auto target = "127.0.0.1:" + std::to_string(world.port);
    auto proxy = world.make({target});
    auto answer = world.ask(proxy, "CONNECT " + target + " HTTP/1.1\r\nHost: x\r\n\r\nhello");
    CHECK(answer == "HTTP/1.1 200 Connection Established\r\n\r\nhello");
    CHECK(world.reports.empty());
}

TEST_CASE("proxy: refusals say why and are reported once") {
    World world;
    auto target = "127.0.0.1:" + std::to_string(world.port);
    auto proxy = world.make({"*", "example.com"});
    for (int i = 0; i < 2; ++i) {
        auto answer = world.ask(proxy, "CONNECT " + target + " HTTP/1.1\r\n\r\n");
        CHECK(answer.starts_with("HTTP/1.1 403 "));
        CHECK(answer.find("'" + target + "' is not on the allow list") != std::string::npos);
    }
    CHECK(world.reports == std::vector<std::string>{target});
    CHECK(world.ask(proxy, "CONNECT localhost:443 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 403 "));
    CHECK(world.ask(proxy, "GET http://example.com/ HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    CHECK(world.ask(proxy, "CONNECT nonsense HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    CHECK(world.ask(proxy, "CONNECT example.com:443 HTTP/1.1\r\nX: " + std::string(9000, 'x'))
              .starts_with("HTTP/1.1 431 "));
    proxy.set_allowed(AllowList::parse({target}));
    CHECK(world.ask(proxy, "CONNECT " + target + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("proxy: a server that is not there is 502") {
    World world;
    auto target = "127.0.0.1:" + std::to_string(world.port);
    world.on_connection.reset();
    world.listener.reset();
    auto proxy = world.make({target});
    auto answer = world.ask(proxy, "CONNECT " + target + " HTTP/1.1\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 502 "));
    CHECK(answer.find("cannot connect to '" + target + "'") != std::string::npos);
}

TEST_CASE("an address of this machine is known in every form", "[engine][proxy]") {
    CHECK(engine::is_own_address("127.0.0.1"));
    CHECK(engine::is_own_address("::ffff:127.0.0.1"));
    CHECK(engine::is_own_address("::ffff:7f00:1"));
    CHECK_FALSE(engine::is_own_address("192.0.2.1"));
    CHECK_FALSE(engine::is_own_address("::ffff:192.0.2.1"));
}
