#pragma once

#include "engine/init/protocol.h"

#include <array>
#include <deque>
#include <optional>

namespace scad::init {

namespace protocol = engine::protocol;

// The control socket as process 1 sees it. Never blocks.
class Channel {
  public:
    explicit Channel(int fd) : fd_(fd) {}

    struct Incoming {
        protocol::Request request;
        std::array<int, protocol::start_descriptors> descriptors = {-1, -1, -1, -1};
        bool valid = false;
        void close_descriptors();
    };
    // The next message, if there is one. A message that is malformed or cut (MSG_TRUNC, MSG_CTRUNC) is given
    // with valid == false and its descriptors closed: whoever waits for the end of such a pipe would wait for
    // ever otherwise.
    std::optional<Incoming> receive();
    bool at_end() const { return at_end_; }

    // Sends now or as soon as there is room. `descriptor` is closed after it was sent.
    void send(const protocol::Reply& reply, int descriptor = -1);
    bool waiting() const { return !queue_.empty(); }
    std::size_t queued() const { return queue_.size(); }
    void flush(); // as much as there is room for
    int fd() const { return fd_; }

  private:
    struct Outgoing {
        protocol::Reply reply;
        int descriptor = -1;
    };
    bool send_now(const Outgoing& message); // false: no room
    int fd_;
    bool at_end_ = false;
    std::deque<Outgoing> queue_;
};

} // namespace scad::init
