#pragma once

#include "base/fd.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace scad::base {

inline constexpr std::size_t message_limit = std::size_t{128} << 10; // bytes of one message
inline constexpr std::size_t message_fd_limit = 8;                   // descriptors with one message

struct Message {
    std::string body;
    std::vector<Fd> fds;
};

// One end of a SOCK_SEQPACKET connection (unix(7)): whole messages with descriptors (SCM_RIGHTS), no byte
// stream to cut up.
class MessageSocket {
  public:
    MessageSocket() = default;
    explicit MessageSocket(Fd fd) : fd_(std::move(fd)) {}

    int fd() const { return fd_.get(); }
    explicit operator bool() const { return static_cast<bool>(fd_); }
    void close() { fd_.reset(); }

    // Sends one message; waits for room. False when the other side is gone. Fatal above the limits.
    bool send(std::string_view body, const std::vector<int>& fds = {});
    // The same without waiting: `full` when there is no room now.
    enum class Sent { yes, full, gone };
    Sent try_send(std::string_view body, const std::vector<int>& fds = {});
    // The next message, waiting at most `timeout` (negative: for ever; 0: not at all). Empty: end of file or
    // time-out (`at_end()` tells which). A truncated message (MSG_TRUNC, MSG_CTRUNC) closes the descriptors
    // that came with it and counts as the end.
    std::optional<Message> receive(std::chrono::milliseconds timeout = std::chrono::milliseconds{-1});
    bool at_end() const { return at_end_; }

  private:
    Fd fd_;
    bool at_end_ = false;
};

struct SocketPair {
    MessageSocket ours;
    MessageSocket theirs;
};
SocketPair make_socket_pair();

// Binds and listens at `directory`/`name` (0600; an old socket of that name is replaced). The path may be of
// any length: it goes through /proc/self/fd.
Fd listen_at(const std::filesystem::path& directory, const std::string& name);
// The next connection of a listener, not waiting; empty: none. Connections of other users (SO_PEERCRED) are
// closed at once.
std::optional<MessageSocket> accept_from(int listener);
// Connects; empty when nobody listens there (ENOENT, ECONNREFUSED).
std::optional<MessageSocket> connect_at(const std::filesystem::path& directory, const std::string& name);

} // namespace scad::base
