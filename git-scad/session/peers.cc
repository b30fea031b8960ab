#include "session/peers.h"

#include "base/error.h"

#include <poll.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::size_t most_peers = 512;
constexpr std::size_t most_queued = 1000; // messages for one client

Reply error_reply(const std::string& message) {
    Reply reply;
    reply.kind = Reply::Kind::error;
    reply.message = message;
    return reply;
}

} // namespace

Peers::Peers(base::Loop& loop, base::Fd listener, Handlers handlers)
    : loop_(loop),
      listener_(std::move(listener)),
      handlers_(std::move(handlers)),
      incoming_(loop_.on_readable(listener_.get(), [this] { accept(); })) {}

Peers::~Peers() = default;

void Peers::accept() {
    std::optional<base::MessageSocket> socket = base::accept_from(listener_.get());
    if (!socket) return;
    if (peers_.size() >= most_peers) {
        socket->try_send(encode(error_reply("too many clients")));
        return;
    }
    const Id id = next_id_++;
    Peer& peer = peers_[id];
    peer.socket = std::move(*socket);
    peer.readable = loop_.on_readable(peer.socket.fd(), [this, id] { read(id); });
}

void Peers::read(Id id) {
    auto found = peers_.find(id);
    if (found == peers_.end()) return;
    base::MessageSocket& socket = found->second.socket;
    std::optional<base::Message> message = socket.receive(std::chrono::milliseconds(0));
    if (!message) {
        if (socket.at_end()) drop(id);
        return;
    }
    std::optional<Request> request = decode_request(message->body);
    if (!request) {
        socket.try_send(
            encode(error_reply("this supervisor does not understand the request: another version of scad?")));
        return drop(id);
    }
    try {
        handlers_.request(id, std::move(*request), std::move(message->fds));
    } catch (const Error& error) {
        send_error(id, error.message);
    }
}

void Peers::send_error(Id id, const std::string& message) { send(id, error_reply(message)); }

void Peers::send(Id id, const Reply& reply, base::Fd with) {
    auto found = peers_.find(id);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    peer.queue.push_back({encode(reply), std::move(with)});
    if (peer.queue.size() > most_queued) return drop(id);
    if (peer.queue.size() == 1) write(id);
}

void Peers::send_if_room(Id id, const Reply& reply) {
    auto found = peers_.find(id);
    if (found == peers_.end() || !found->second.queue.empty()) return;
    // One that is gone is told of by its descriptor.
    found->second.socket.try_send(encode(reply));
}

base::MessageSocket::Sent Peers::send_now(Peer& peer) {
    const Outgoing& first = peer.queue.front();
    return peer.socket.try_send(first.body, first.fd ? std::vector{first.fd.get()} : std::vector<int>{});
}

void Peers::write(Id id) {
    auto found = peers_.find(id);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    while (!peer.queue.empty()) {
        const auto sent = send_now(peer);
        if (sent == base::MessageSocket::Sent::full) {
            if (!peer.writable)
                peer.writable = loop_.on_writable(peer.socket.fd(), [this, id] { write(id); });
            return;
        }
        // What a client that is gone said before is still to be read: its end of file tells of its end.
        if (sent == base::MessageSocket::Sent::gone)
            peer.queue.clear();
        else
            peer.queue.pop_front();
    }
    peer.writable.reset();
}

void Peers::drop(Id id) {
    auto found = peers_.find(id);
    if (found == peers_.end()) return;
    const Peer peer = std::move(found->second);
    peers_.erase(found);
    handlers_.gone(id);
}

void Peers::follow(Id id, std::uint64_t job) {
    if (auto found = peers_.find(id); found != peers_.end()) found->second.follows.insert(job);
}

void Peers::unfollow(Id id, std::uint64_t job) {
    if (auto found = peers_.find(id); found != peers_.end()) found->second.follows.erase(job);
}

std::vector<Peers::Id> Peers::followers(std::uint64_t job) const {
    std::vector<Id> ids;
    for (const auto& [id, peer] : peers_) {
        if (peer.follows.contains(job)) ids.push_back(id);
    }
    return ids;
}

void Peers::stop_listening() {
    incoming_.reset();
    listener_.reset();
}

void Peers::flush(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (auto& [id, peer] : peers_) {
        while (!peer.queue.empty()) {
            if (send_now(peer) != base::MessageSocket::Sent::full) {
                peer.queue.pop_front();
                continue;
            }
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
            if (left.count() <= 0) return;
            pollfd waiting{peer.socket.fd(), POLLOUT, 0};
            ::poll(&waiting, 1, static_cast<int>(left.count()));
        }
    }
}

} // namespace scad::session
