#pragma once

#include "base/fd.h"
#include "session/peers.h"
#include "session/programs.h"
#include "session/protocol.h"
#include "session/session.h"
#include "session/snapshots.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace scad::session {

// The programs that clients run in a live session by themselves (exec, service), on descriptors of their own.
// One for each connection; it ends when that does.
class ClientPrograms {
  public:
    struct Host {
        Programs& programs;
        Snapshots& snapshots;
        Peers& peers;
        const Session& session;
        std::function<void()> ended; // one of them
    };
    explicit ClientPrograms(Host host) : host_(std::move(host)) {}

    // Takes a request with its three descriptors. A service starts once no snapshot is pending. Fatal: what
    // is no program.
    void start(Peers::Id peer, Request request, std::vector<base::Fd> fds);
    void signal(Peers::Id peer, int number);
    void client_gone(Peers::Id peer);
    // True when this program is one of them: it is ended, and its client told why.
    bool end(std::uint64_t program, const std::string& why);
    void end_all(); // those that still wait are forgotten
    bool empty() const { return running_.empty(); }

  private:
    struct Entry {
        std::uint64_t program = 0; // 0: waits for a snapshot
        std::string why_ended;
    };
    void run(Peers::Id peer, const Request& request, const std::vector<base::Fd>& fds);

    Host host_;
    std::map<Peers::Id, Entry> running_;
};

} // namespace scad::session
