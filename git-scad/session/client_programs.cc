#include "session/client_programs.h"

#include "base/error.h"
#include "session/plan.h"

#include <utility>

namespace scad::session {

void ClientPrograms::start(Peers::Id peer, Request request, std::vector<base::Fd> fds) {
    if (fds.size() != (request.terminal ? 0U : 3U) || request.argv.empty())
        throw fatal("a program needs a name and three descriptors, or a terminal");
    if (request.terminal && (request.rows > 1000 || request.columns > 1000))
        throw fatal("a terminal cannot be that large");
    if (running_.contains(peer)) throw fatal("this connection has a program already");
    running_[peer] = {};
    if (request.kind == Request::Kind::exec) return run(peer, request, fds);
    // Shared, because what a std::function holds must be copyable.
    auto kept =
        std::make_shared<std::pair<Request, std::vector<base::Fd>>>(std::move(request), std::move(fds));
    host_.snapshots.when_settled([this, peer, kept] {
        if (!running_.contains(peer)) return; // the client went while it waited
        try {
            run(peer, kept->first, kept->second);
        } catch (const Error& error) {
            host_.peers.send_error(peer, error.message);
        }
        kept->second.clear();
    });
}

void ClientPrograms::run(Peers::Id peer, const Request& request, const std::vector<base::Fd>& fds) {
    engine::JobStart program;
    program.argv = request.argv;
    program.environment =
        request.environment.empty() ? session_environment(host_.session, {}) : request.environment;
    program.directory = request.directory.empty() ? "/work" : request.directory;
    if (request.terminal) {
        program.terminal = {static_cast<std::uint16_t>(request.rows),
                            static_cast<std::uint16_t>(request.columns)};
    } else {
        program.in = fds[0].get();
        program.out = fds[1].get();
        program.err = fds[2].get();
    }
    const auto started = [this, peer] { host_.peers.send(peer, {}); };
    const auto failed = [this, peer, name = request.argv.front(),
                         where = program.directory](const std::string& why) {
        running_.erase(peer);
        host_.peers.send_error(peer, "cannot run '" + name + "' in '" + where + "': " + why);
        host_.ended();
    };
    const auto ended = [this, peer](int wait_status) {
        auto found = running_.find(peer);
        if (found == running_.end()) return;
        const std::string why = host_.programs.gone() ? "the sandbox ended: " + host_.programs.gone_how()
                                                      : found->second.why_ended;
        running_.erase(found);
        host_.peers.send(peer, {Reply::Kind::ended, wait_status, 0, why});
        host_.ended();
    };
    try {
        running_[peer].program = host_.programs.start(
            program, {started, failed, ended, [this, peer](base::Fd master) {
                          host_.peers.send(peer, {Reply::Kind::terminal, 0, 0, {}}, std::move(master));
                      }});
    } catch (const Error&) {
        running_.erase(peer);
        throw;
    }
}

void ClientPrograms::signal(Peers::Id peer, int number) {
    if (number < 1 || number > 64) throw fatal("there is no signal {}", number);
    auto found = running_.find(peer);
    if (found != running_.end() && found->second.program != 0)
        host_.programs.signal(found->second.program, number);
}

void ClientPrograms::client_gone(Peers::Id peer) {
    auto found = running_.find(peer);
    if (found == running_.end()) return;
    if (found->second.program == 0)
        running_.erase(found);
    else
        host_.programs.end(found->second.program); // and then it is told as ended
}

bool ClientPrograms::end(std::uint64_t program, const std::string& why) {
    for (auto& [peer, entry] : running_) {
        if (entry.program != program) continue;
        entry.why_ended = why;
        host_.programs.end(program);
        return true;
    }
    return false;
}

void ClientPrograms::end_all() {
    for (const auto& [peer, entry] : running_) host_.programs.end(entry.program);
    std::erase_if(running_, [](const auto& item) { return item.second.program == 0; });
}

} // namespace scad::session
