#include "engine/proxy.h"

#include "base/error.h"
#include "engine/proxy_sockets.h"
#include "engine/resolver.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scad::engine {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr std::size_t most_connections = 256;
constexpr std::size_t head_limit = 8192;
constexpr std::size_t most_reports = 1000;
constexpr seconds head_time{10};
constexpr seconds resolve_time{30};
constexpr seconds connect_time{30}; // for the last address of a name
constexpr seconds next_address{5};  // before another one is tried
constexpr seconds farewell_time{2}; // for the client to read a refusal
constexpr seconds idle_time{600};

std::string target_text(const ConnectTarget& target) {
    bool v6 = target.host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", target.host, target.port)
              : fmt::format("{}:{}", target.host, target.port);
}

// An answer that ends the connection. The reason is in the status line (Python shows it), in Proxy-Status
// (RFC 9209, curl -v shows it) and in the body. It holds printable ASCII only: host names were checked
// before.
std::string refusal(int status, std::string_view title, std::string_view reason,
                    std::string_view extra = {}) {
    auto body = fmt::format("scad: {}\n", reason);
    return fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
        "Proxy-Status: scad; details=\"{}\"\r\n{}Connection: close\r\n\r\n{}",
        status, title, body.size(), reason, extra, body);
}

enum class Stage { head, resolving, connecting, joined, farewell };

struct Connection {
    std::uint64_t id = 0;
    Stage stage = Stage::head;
    base::Fd client;
    base::Fd server;
    std::uint32_t client_interest = 0; // what epoll watches for now; 0: not registered
    std::uint32_t server_interest = 0;
    Pipeline up;   // client to server; holds the head at first
    Pipeline down; // server to client
    ConnectTarget target;
    std::deque<std::string> addresses; // still to be tried
    std::string last_error;
    Clock::time_point deadline;
};

} // namespace

// All sockets are watched by an epoll(7) of the proxy's own, which is one descriptor for the loop.
struct Proxy::Implementation {
    Implementation(base::Loop& the_loop, AllowList the_list,
                   std::function<void(std::string, std::string)> the_report)
        : allowed(std::move(the_list)), report(std::move(the_report)), epoll(::epoll_create1(EPOLL_CLOEXEC)) {
        if (!epoll) throw system_error(errno, "cannot make an epoll descriptor");
        watch(resolver.fd(), 0, false, EPOLLIN);
        readable = the_loop.on_readable(epoll.get(), [this] { on_events(); });
        clock = the_loop.every(std::chrono::milliseconds{500}, [this] { on_clock(); });
    }

    AllowList allowed;
    std::function<void(std::string, std::string)> report;
    std::set<std::string> reported;
    base::Fd epoll;
    Resolver resolver;
    std::map<std::uint64_t, Connection> connections;
    std::uint64_t last_id = 0;
    base::Loop::Handle readable;
    base::Loop::Handle clock;

    // The event's data: twice the connection's number, plus one for its server side.
    bool watch(int fd, std::uint64_t id, bool server, std::uint32_t interest) const {
        epoll_event event{};
        event.events = interest;
        event.data.u64 = id * 2 + (server ? 1 : 0);
        return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    }

    // Unwatched while nothing is wanted, because EPOLLHUP is told even then.
    void set_interest(Connection& c, bool server, std::uint32_t wanted) const {
        int fd = server ? c.server.get() : c.client.get();
        auto& now = server ? c.server_interest : c.client_interest;
        if (fd < 0 || now == wanted) return;
        if (now != 0) ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
        now = wanted != 0 && watch(fd, c.id, server, wanted) ? wanted : 0;
    }

    void close_server(Connection& c) const {
        set_interest(c, true, 0);
        c.server.reset();
        c.server_interest = 0;
    }

    void accept(base::Fd client) {
        auto refuse_at_once = [&](std::string_view answer) {
            [[maybe_unused]] auto sent =
                ::send(client.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        };
        if (connections.size() >= most_connections) {
            auto answer = refusal(503, "Too Many Connections", "too many open connections in this session");
            return refuse_at_once(answer);
        }
        auto id = ++last_id;
        auto& c = connections[id];
        c.id = id;
        c.client = std::move(client);
        int one = 1;
        ::setsockopt(c.client.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c.deadline = Clock::now() + head_time;
        set_interest(c, false, EPOLLIN);
    }

    void on_events() {
        std::array<epoll_event, 64> events{};
        int count = ::epoll_wait(epoll.get(), events.data(), events.size(), 0);
        for (int i = 0; i < count; ++i) {
            auto data = events[static_cast<std::size_t>(i)].data.u64;
            if (data == 0) {
                for (auto& result : resolver.take()) on_resolved(result);
                continue;
            }
            auto found = connections.find(data / 2);
            if (found != connections.end()) on_event(found->second, data % 2 == 1);
        }
    }

    void on_clock() {
        auto now = Clock::now();
        for (auto next = connections.begin(); next != connections.end();) {
            auto& c = (next++)->second;
            if (now >= c.deadline) on_deadline(c);
        }
    }

    void on_deadline(Connection& c) {
        switch (c.stage) {
            case Stage::head:
                return answer(c, refusal(408, "Request Timeout", "no request came within 10 seconds"));
            case Stage::resolving:
                return answer(c, refusal(502, "Bad Gateway",
                                         fmt::format("looking up '{}' took too long", c.target.host)));
            case Stage::connecting:
                c.last_error = "timed out";
                return connect_next(c);
            case Stage::joined:
            case Stage::farewell:
                drop(c);
                return;
        }
    }

    void drop(Connection& c) {
        set_interest(c, false, 0);
        close_server(c);
        connections.erase(c.id);
    }

    void on_event(Connection& c, bool server) {
        switch (c.stage) {
            case Stage::head:
                return on_head(c);
            case Stage::connecting:
                if (server) return on_connected(c);
                break;
            case Stage::joined:
                return move(c);
            case Stage::farewell:
                return on_farewell(c);
            case Stage::resolving:
                break;
        }
    }

    void on_head(Connection& c) {
        auto moved = read_some(c.client.get(), c.up);
        if (moved == Moved::failed) return drop(c);
        auto end = c.up.bytes.find("\r\n\r\n");
        std::size_t mark = 4;
        if (end == std::string::npos) {
            end = c.up.bytes.find("\n\n");
            mark = 2;
        }
        if ((end == std::string::npos && c.up.bytes.size() >= head_limit) ||
            (end != std::string::npos && end + mark > head_limit)) {
            return answer(
                c, refusal(431, "Request Header Fields Too Large", "the request's head is over 8 KiB"));
        }
        if (end == std::string::npos) {
            if (c.up.ended) drop(c);
            return;
        }
        auto head = c.up.bytes.substr(0, end);
        c.up.bytes.erase(0, end + mark);
        on_request(c, head);
    }

    void on_request(Connection& c, const std::string& head) {
        if (!head.starts_with("CONNECT ")) {
            constexpr auto reason =
                "only CONNECT passes this proxy: use an https:// address instead of http://";
            return answer(c, refusal(405, "Method Not Allowed", reason, "Allow: CONNECT\r\n"));
        }
        auto target = parse_connect(head);
        if (!target) return answer(c, refusal(400, "Bad Request", "malformed CONNECT request"));
        c.target = *target;
        if (!allowed.allows(c.target.host, c.target.port)) {
            auto entry = c.target.port == 443 ? c.target.host : target_text(c.target);
            return refuse(
                c, fmt::format("'{}' is not on the allow list of this session; its user can add '{}' to "
                               "'allow' of [network] in the project file",
                               target_text(c.target), entry));
        }
        set_interest(c, false, 0);
        in6_addr any{};
        bool literal = ::inet_pton(AF_INET, c.target.host.c_str(), &any) == 1 ||
                       ::inet_pton(AF_INET6, c.target.host.c_str(), &any) == 1;
        if (literal) return use_addresses(c, {c.target.host});
        c.stage = Stage::resolving;
        c.deadline = Clock::now() + resolve_time;
        resolver.look_up(c.id, c.target.host);
    }

    void on_resolved(const Resolver::Result& result) {
        auto found = connections.find(result.id);
        if (found == connections.end() || found->second.stage != Stage::resolving) return;
        auto& c = found->second;
        if (result.addresses.empty()) {
            return answer(c, refusal(502, "Bad Gateway",
                                     fmt::format("cannot look up '{}': {}", c.target.host, result.error)));
        }
        use_addresses(c, result.addresses);
    }

    bool permitted(const ConnectTarget& target, const std::string& address) const {
        if (!allowed.allows_address(target.host, address, target.port)) return false;
        return allowed.lists_address(address, target.port) || !is_own_address(address);
    }

    void use_addresses(Connection& c, const std::vector<std::string>& addresses) {
        c.addresses.clear();
        for (const auto& address : addresses) {
            if (permitted(c.target, address)) c.addresses.push_back(address);
        }
        if (c.addresses.empty()) {
            ConnectTarget direct{addresses.front(), c.target.port};
            return refuse(
                c, fmt::format("'{}' leads to {}, which is no public address; its user can add '{}' to "
                               "'allow' of [network] in the project file",
                               target_text(c.target), addresses.front(), target_text(direct)));
        }
        connect_next(c);
    }

    void connect_next(Connection& c) {
        close_server(c);
        while (!c.addresses.empty()) {
            auto address = socket_address(c.addresses.front(), c.target.port);
            c.addresses.pop_front();
            c.server = base::Fd(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            if (!c.server) {
                c.last_error = base::errno_text(errno);
                continue;
            }
            int one = 1;
            ::setsockopt(c.server.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            ::setsockopt(c.server.get(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
            int code = ::connect(c.server.get(), reinterpret_cast<sockaddr*>(&address.storage), address.size);
            if (code == 0 || errno == EINPROGRESS) {
                c.stage = Stage::connecting;
                c.deadline = Clock::now() + (c.addresses.empty() ? connect_time : next_address);
                return set_interest(c, true, EPOLLOUT);
            }
            c.last_error = base::errno_text(errno);
        }
        answer(c, refusal(502, "Bad Gateway",
                          fmt::format("cannot connect to '{}': {}", target_text(c.target), c.last_error)));
    }

    void on_connected(Connection& c) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(c.server.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            c.last_error = base::errno_text(error);
            return connect_next(c);
        }
        c.stage = Stage::joined;
        c.down.bytes = "HTTP/1.1 200 Connection Established\r\n\r\n";
        move(c);
    }

    // Passes on what is there in both directions, one buffer each, and says what to wait for next.
    void move(Connection& c) {
        bool failed = false;
        bool some = false;
        auto step = [&](int from, int to, Pipeline& pipeline) {
            auto note = [&](Moved moved) {
                failed = failed || moved == Moved::failed;
                some = some || moved == Moved::some;
            };
            if (pipeline.empty() && !pipeline.ended) note(read_some(from, pipeline));
            if (!failed) note(write_some(to, pipeline));
            if (pipeline.empty() && pipeline.ended && !pipeline.closed) {
                ::shutdown(to, SHUT_WR);
                pipeline.closed = true;
            }
        };
        step(c.client.get(), c.server.get(), c.up);
        step(c.server.get(), c.client.get(), c.down);
        if (failed || (c.up.closed && c.down.closed)) return drop(c);
        if (some) c.deadline = Clock::now() + idle_time;
        auto interest = [](const Pipeline& in, const Pipeline& out) {
            std::uint32_t wanted = 0;
            if (in.empty() && !in.ended) wanted |= EPOLLIN;
            if (!out.empty()) wanted |= EPOLLOUT;
            return wanted;
        };
        set_interest(c, false, interest(c.up, c.down));
        set_interest(c, true, interest(c.down, c.up));
    }

    void refuse(Connection& c, const std::string& reason) {
        auto target = target_text(c.target);
        if (report && reported.size() < most_reports && reported.insert(target).second)
            report(target, reason);
        answer(c, refusal(403, fmt::format("Forbidden by scad: {} is not allowed", target), reason));
    }

    // Sends a last word; what the client still sends is read and dropped, since closing over unread bytes
    // would reset the connection and take the answer with it.
    void answer(Connection& c, const std::string& text) {
        close_server(c);
        c.stage = Stage::farewell;
        c.deadline = Clock::now() + farewell_time;
        c.down.bytes = text;
        c.down.sent = 0;
        on_farewell(c);
    }

    void on_farewell(Connection& c) {
        if (!c.down.empty()) {
            if (write_some(c.client.get(), c.down) == Moved::failed) return drop(c);
            if (!c.down.empty()) return set_interest(c, false, EPOLLOUT);
            ::shutdown(c.client.get(), SHUT_WR);
        }
        Pipeline rest;
        if (read_some(c.client.get(), rest) == Moved::failed || rest.ended) return drop(c);
        set_interest(c, false, EPOLLIN);
    }
};

Proxy::Proxy(base::Loop& loop, AllowList allowed,
             std::function<void(std::string target, std::string reason)> report)
    : implementation_(std::make_unique<Implementation>(loop, std::move(allowed), std::move(report))) {}

Proxy::~Proxy() = default;

void Proxy::accept(base::Fd connection) { implementation_->accept(std::move(connection)); }

void Proxy::set_allowed(AllowList allowed) {
    implementation_->allowed = std::move(allowed);
    implementation_->reported.clear();
}

} // namespace scad::engine
