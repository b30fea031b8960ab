#include "session/client.h"

#include "base/error.h"
#include "base/text.h"

#include <csignal>
#include <fcntl.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::chrono::seconds freeze_limit{150}; // a snapshot may have to end first
constexpr std::chrono::seconds thaw_limit{10};

Error gone_error(const std::string& name) {
    return fatal("the supervisor of session '{}' has ended", name)
        .with_hint("git scad session resume {}", name);
}

// A program that runs in a live session on behalf of one connection: it ends when that is closed.
class LiveProgram : public engine::Running {
  public:
    explicit LiveProgram(Client client) : client_(std::move(client)) {}
    ~LiveProgram() override = default;
    LiveProgram(const LiveProgram&) = delete;
    LiveProgram& operator=(const LiveProgram&) = delete;

    int fd() const override { return client_ ? client_->fd() : -1; }

    std::optional<engine::RunResult> poll() override { return take(std::chrono::milliseconds(0)); }

    engine::RunResult wait(std::chrono::milliseconds limit) override {
        using Clock = std::chrono::steady_clock;
        const auto end = Clock::now() + limit;
        for (;;) {
            std::chrono::milliseconds left{-1};
            if (limit.count() > 0) {
                left = std::max(std::chrono::milliseconds(0),
                                std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
            }
            if (auto result = take(left)) return *result;
            if (limit.count() > 0 && Clock::now() >= end) {
                kill();
                result_->timed_out = true;
            }
        }
    }

    void kill() override {
        if (result_) return;
        result_ = engine::RunResult{SIGKILL, false};
        client_.reset(); // the supervisor ends what this connection started
    }

  private:
    std::optional<engine::RunResult> take(std::chrono::milliseconds timeout) {
        if (result_) return result_;
        const std::optional<Reply> reply = client_->receive(timeout);
        if (reply && reply->kind == Reply::Kind::ended) {
            if (!reply->message.empty()) throw fatal("{}", reply->message);
            result_ = engine::RunResult{reply->wait_status, false};
        }
        return result_;
    }

    std::optional<Client> client_;
    std::optional<engine::RunResult> result_;
};

class LiveRunner : public engine::Runner {
  public:
    LiveRunner(Session session, bool settled) : session_(std::move(session)), settled_(settled) {}

    std::unique_ptr<engine::Running> start(const engine::RunRequest& request) override {
        Client client = Client::require(session_);
        Request message;
        message.kind = settled_ ? Request::Kind::service : Request::Kind::exec;
        message.argv = request.argv;
        message.environment = request.environment;
        message.directory = request.directory;
        const base::Fd null = base::open_file("/dev/null", O_RDWR);
        const auto given = [&](int fd) { return fd >= 0 ? fd : null.get(); };
        client.send(message, {given(request.in), given(request.out), given(request.err)});
        client.receive(); // `ok` once it runs; anything else is an error
        return std::make_unique<LiveProgram>(std::move(client));
    }

  private:
    Session session_;
    bool settled_;
};

} // namespace

std::optional<Client> Client::connect(const Session& session) {
    std::optional<base::MessageSocket> socket = base::connect_at(session.directory, "socket");
    if (!socket) return std::nullopt;
    return Client(std::move(*socket), session.name);
}

Client Client::require(const Session& session) {
    std::optional<Client> client = connect(session);
    if (!client) {
        throw fatal("session '{}' is not live", session.name)
            .with_hint("git scad session resume {}", session.name);
    }
    return std::move(*client);
}

void Client::send(const Request& request, const std::vector<int>& fds) {
    if (!socket_.send(encode(request), fds)) throw gone_error(name_);
}

std::optional<Reply> Client::receive(std::chrono::milliseconds timeout) {
    std::optional<base::Message> message = socket_.receive(timeout);
    if (!message) {
        if (socket_.at_end()) throw gone_error(name_);
        return std::nullopt;
    }
    std::optional<Reply> reply = decode_reply(message->body);
    if (!reply) {
        throw fatal("the supervisor of session '{}' speaks another version of scad's protocol", name_)
            .with_hint("git scad session stop {}", name_);
    }
    if (reply->kind == Reply::Kind::error) throw fatal("{}", reply->message);
    if (!message->fds.empty()) descriptor_ = std::move(message->fds.front());
    return reply;
}

Freeze::Freeze(const Session& session) : client_(Client::require(session)) {
    Request request;
    request.kind = Request::Kind::freeze;
    client_.send(request);
    if (!client_.receive(freeze_limit))
        throw fatal("session '{}' was not still within {}", session.name,
                    base::format_duration(freeze_limit));
}

void Freeze::thaw() {
    Request request;
    request.kind = Request::Kind::thaw;
    client_.send(request);
    if (!client_.receive(thaw_limit)) throw fatal("the session did not answer when it was to go on");
}

std::unique_ptr<engine::Runner> make_live_runner(const Session& session, bool settled) {
    return std::make_unique<LiveRunner>(session, settled);
}

} // namespace scad::session
