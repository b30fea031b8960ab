#pragma once

#include "base/loop.h"
#include "base/socket.h"
#include "session/protocol.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace scad::session {

// The clients that are connected to a supervisor, each by a number of its own: whoever answers later need not
// know whether it is still there. A client that does not read never holds up the loop: its replies wait in
// memory, up to a bound, past which it is disconnected.
class Peers {
  public:
    using Id = std::uint64_t;
    struct Handlers {
        std::function<void(Id, Request, std::vector<base::Fd>)>
            request; // an Error that it throws is the answer
        std::function<void(Id)> gone;
    };

    Peers(base::Loop& loop, base::Fd listener, Handlers handlers);
    ~Peers();
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    void send(Id id, const Reply& reply, base::Fd with = {});
    void send_error(Id id, const std::string& message);
    // For what the next one of its kind makes up for: dropped when there is no room.
    void send_if_room(Id id, const Reply& reply);

    void follow(Id id, std::uint64_t job);
    void unfollow(Id id, std::uint64_t job);
    std::vector<Id> followers(std::uint64_t job) const;

    // No new connections from here on.
    void stop_listening();
    // Waits until all that is queued is sent, at most for `limit`; for the very end.
    void flush(std::chrono::milliseconds limit);

  private:
    struct Outgoing {
        std::string body;
        base::Fd fd; // may be empty
    };
    struct Peer {
        base::MessageSocket socket;
        std::deque<Outgoing> queue;
        std::set<std::uint64_t> follows;
        base::Loop::Handle readable, writable; // destroyed before the socket
    };
    static base::MessageSocket::Sent send_now(Peer& peer); // the first of its queue
    void accept();
    void read(Id id);
    void write(Id id);
    void drop(Id id); // and tells; the number is unknown afterwards

    base::Loop& loop_;
    base::Fd listener_;
    Handlers handlers_;
    std::map<Id, Peer> peers_;
    Id next_id_ = 1;
    base::Loop::Handle incoming_;
};

} // namespace scad::session
