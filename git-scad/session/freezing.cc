#include "session/freezing.h"

#include "base/error.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace scad::session {

namespace {

constexpr std::chrono::minutes longest{30};
constexpr std::chrono::minutes snapshot_limit{2}; // of those that are asked for meanwhile

} // namespace

void Freezing::freeze(Peers::Id peer) {
    if (active()) throw fatal("the session is being copied by another command");
    peer_ = peer;
    host_.snapshots.when_settled([this, peer] {
        if (peer_ != peer) return; // the client went while it waited
        host_.snapshots.hold(snapshot_limit);
        host_.programs.sandbox().freeze();
        limit_ = host_.loop.after(longest, [this] { end("the session was frozen for too long"); });
    });
}

void Freezing::on_frozen(const std::string& problem) {
    if (!active()) return;
    if (!problem.empty()) return end(problem);
    host_.log.info("frozen");
    host_.peers.send(peer_, {});
}

void Freezing::thaw(Peers::Id peer) {
    if (peer_ != peer) throw fatal("the session went on before it was copied");
    go_on();
    host_.peers.send(peer, {});
}

void Freezing::client_gone(Peers::Id peer) {
    std::erase_if(waiting_, [peer](const Waiting& one) { return one.peer == peer; });
    if (peer_ == peer) go_on();
}

void Freezing::end(const std::string& why) {
    if (!active()) return;
    host_.log.warn("{}", why);
    host_.peers.send_error(peer_, why);
    go_on();
}

void Freezing::defer(Peers::Id peer, Request request, std::vector<base::Fd> fds) {
    waiting_.push_back({peer, std::move(request), std::move(fds)});
}

void Freezing::go_on() {
    peer_ = 0;
    limit_.reset();
    if (!host_.programs.gone()) host_.programs.sandbox().thaw();
    host_.snapshots.release();
    for (Waiting& one : std::exchange(waiting_, {})) {
        try {
            host_.handle(one.peer, std::move(one.request), std::move(one.fds));
        } catch (const Error& error) {
            host_.peers.send_error(one.peer, error.message);
        }
    }
}

} // namespace scad::session
