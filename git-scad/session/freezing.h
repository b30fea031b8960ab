#pragma once

#include "base/fd.h"
#include "base/loop.h"
#include "session/peers.h"
#include "session/programs.h"
#include "session/protocol.h"
#include "session/snapshots.h"

#include <functional>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace scad::session {

// Holds a live session still while a client copies what lies in it: every program is stopped where it is, and
// what others ask for meanwhile is done afterwards. Ends when the client says so or goes, or takes too long.
class Freezing {
  public:
    struct Host {
        base::Loop& loop;
        Programs& programs;
        Snapshots& snapshots;
        Peers& peers;
        spdlog::logger& log;
        std::function<void(Peers::Id, Request, std::vector<base::Fd>)> handle; // what had to wait
    };
    explicit Freezing(Host host) : host_(std::move(host)) {}

    // `ok` is sent once all stand still and no snapshot runs. Fatal: another client has frozen it.
    void freeze(Peers::Id peer);
    // What the sandbox says of it.
    void on_frozen(const std::string& problem);
    // Answered `ok` when nothing has moved since. Fatal: the session went on before.
    void thaw(Peers::Id peer);
    void client_gone(Peers::Id peer);
    // The session goes on, whoever has frozen it.
    void end(const std::string& why);

    bool active() const { return peer_ != 0; }
    // For a request that would start a program while the session is frozen: kept until it is not.
    void defer(Peers::Id peer, Request request, std::vector<base::Fd> fds);

  private:
    struct Waiting {
        Peers::Id peer;
        Request request;
        std::vector<base::Fd> fds;
    };
    void go_on();

    Host host_;
    Peers::Id peer_ = 0;
    std::vector<Waiting> waiting_;
    base::Loop::Handle limit_;
};

} // namespace scad::session
