#include "base/error.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/relay.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "engine/engine.h"
#include "session/client.h"
#include "session/launcher.h"
#include "session/ports.h"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>

namespace scad::commands {
namespace {

constexpr std::size_t most_connections = 256;

struct Options {
    std::string session;
    std::string ports;
};

base::Fd listen_on(const std::string& address, std::uint16_t port) {
    base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) throw system_error(errno, "cannot make a socket");
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &place.sin_addr);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0 ||
        ::listen(socket.get(), 64) != 0)
        throw system_error(errno, "cannot listen on {}:{}", address, port);
    return socket;
}

// Carries connections to a port of the host's to one of a session's: each through a program in the session
// that connects there. What it has of the host's are two pipes, never the socket.
class Forward {
  public:
    Forward(base::Terminal& terminal, session::Session session, base::Fd listener, std::uint16_t port)
        : terminal_(terminal), session_(std::move(session)), listener_(std::move(listener)), port_(port) {}

    int run() {
        signals_ = loop_.on_signals({SIGINT, SIGTERM, SIGHUP}, [this](int) { loop_.stop(); });
        incoming_ = loop_.on_readable(listener_.get(), [this] { accept(); });
        loop_.run();
        return 0;
    }

  private:
    struct Connection {
        std::optional<session::Client> client; // the program ends with it
        std::unique_ptr<base::Relay> inward, outward;
    };

    void accept() {
        base::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket || connections_.size() >= most_connections) return;
        auto client = session::Client::require(session_); // without the session there is nothing to wait for
        auto input = base::make_pipe();
        auto output = base::make_pipe();
        const auto null = base::open_file("/dev/null", O_WRONLY);
        session::Request request;
        request.kind = session::Request::Kind::exec;
        request.argv = {std::string(engine::init_path), "connect", std::to_string(port_)};
        request.environment = {"PATH=/usr/bin:/bin"};
        request.directory = "/";
        try {
            client.send(request, {input.read.get(), output.write.get(), null.get()});
            client.receive();
        } catch (const Error& error) {
            return terminal_.warning("a connection was refused: " + base::one_line(error.message, 200));
        }
        const auto id = ++last_;
        auto& connection = connections_[id];
        auto other = socket.duplicate();
        connection.inward = std::make_unique<base::Relay>(loop_, std::move(other), std::move(input.write),
                                                          base::RelayOptions{}, [](auto, auto) {});
        // The session has said all, so nothing more is taken from the other side either.
        connection.outward =
            std::make_unique<base::Relay>(loop_, std::move(output.read), std::move(socket),
                                          base::RelayOptions{}, [this, id](auto, auto) { drop(id); });
        connection.client.emplace(std::move(client));
    }

    void drop(std::uint64_t id) {
        loop_.post([this, id] { connections_.erase(id); }); // not from within its own call
    }

    base::Terminal& terminal_;
    base::Loop loop_;
    session::Session session_;
    base::Fd listener_;
    std::uint16_t port_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, Connection> connections_;
    base::Loop::Handle signals_, incoming_;
};

// "3000", "web": the same on both sides; "8080:3000": the host's, the session's.
std::pair<std::uint16_t, std::uint16_t> parse_ports(const std::string& text,
                                                    const std::vector<session::PortLease>& leases) {
    const auto number = [&](const std::string& word) {
        for (const auto& lease : leases)
            if (lease.name == word) return lease.port;
        return session::parse_port("forward", word);
    };
    const auto colon = text.find(':');
    if (colon == std::string::npos) return {number(text), number(text)};
    return {session::parse_port("forward", text.substr(0, colon)), number(text.substr(colon + 1))};
}

int forward(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    const session::Store store(context.paths);
    const auto entry = find_session(store, options.session);
    const auto& session = entry.session;
    const auto [here, there] = parse_ports(options.ports, session::read_grants(session.directory).ports);
    if (session::ensure_live(context, store, session))
        context.terminal.note(fmt::format("resumed session '{}', which was {}", session.name,
                                          session::state_name(entry.state)));
    const auto address = session::own_address(context.paths, session.directory, session.name);
    Forward carrying(context.terminal, session, listen_on(address, here), there);
    context.terminal.line(fmt::format("{}:{}", address, here));
    context.terminal.flush();
    context.terminal.note(fmt::format("leads to port {} in session '{}' until Ctrl-C", there, session.name));
    return carrying.run();
}

} // namespace

Action set_up_session_forward(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->session, "its name or an unambiguous prefix");
    add_argument(app, "port", options->ports,
                 "a port of the session's, or the name of one leased at its start; <host port>:<port> when "
                 "they differ");
    return [options](Invocation& invocation) { return forward(invocation, *options); };
}

} // namespace scad::commands
