#pragma once

#include "base/socket.h"
#include "engine/runner.h"
#include "session/protocol.h"
#include "session/session.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace scad::session {

// A connection to a live session's supervisor.
class Client {
  public:
    static std::optional<Client> connect(const Session& session); // empty: nobody answers
    static Client require(const Session& session); // fatal: not live, with `git scad session resume <name>`

    void send(const Request& request, const std::vector<int>& fds = {}); // fatal when the supervisor is gone
    // The next reply; empty at time-out. Fatal: the supervisor is gone, or it answered `error` (with its
    // message).
    std::optional<Reply> receive(std::chrono::milliseconds timeout = std::chrono::milliseconds{-1});
    // The descriptor that came with the last `terminal`.
    base::Fd take_descriptor() { return std::move(descriptor_); }
    int fd() const { return socket_.fd(); }

  private:
    Client(base::MessageSocket socket, std::string name)
        : socket_(std::move(socket)), name_(std::move(name)) {}
    base::MessageSocket socket_;
    std::string name_; // of the session, for messages
    base::Fd descriptor_;
};

// Holds a live session still, all its programs stopped where they are: from the constructor on until thaw(),
// or until this object or its process is gone.
class Freeze {
  public:
    explicit Freeze(const Session& session); // fatal: not live, or its programs do not stand still
    void thaw();                             // fatal when the session did not stand still all the time

  private:
    Client client_;
};

// Runs programs in a live session (exec, or service when `settled`).
std::unique_ptr<engine::Runner> make_live_runner(const Session& session, bool settled);

} // namespace scad::session
