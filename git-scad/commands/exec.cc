#include "commands/exec.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/relay.h"
#include "commands/safe_stream.h"
#include "session/client.h"
#include "session/plan.h"
#include "session/ports.h"

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace scad::commands {
namespace {

constexpr std::chrono::seconds drain_limit{
    5}; // for output that is still in the pipes when the program has ended

// git, which started this process, passes on to it the SIGINT that the terminal sent to both: one Ctrl-C is
// two signals.
constexpr std::chrono::milliseconds same_signal{100};

class Exec {
  public:
    Exec(const session::Session& session, const ExecRequest& request, bool safe_out, bool safe_err)
        : client_(session::Client::require(session)) {
        auto input = base::make_pipe();
        auto output = base::make_pipe();
        auto errors = base::make_pipe();
        session::Request start;
        start.kind = session::Request::Kind::exec;
        start.argv = request.argv;
        start.environment = request.environment;
        start.directory = request.directory;
        client_.send(start, {input.read.get(), output.write.get(), errors.write.get()});
        input.read.reset();
        output.write.reset();
        errors.write.reset();
        client_.receive(); // ok, or fatal with why it could not be started

        replies_ = loop_.on_readable(client_.fd(), [this] { take_reply(); });
        signals_ = loop_.on_signals({SIGINT, SIGTERM, SIGHUP}, [this](int number) { pass_on(number); });
        in_ = std::make_unique<base::Relay>(loop_, base::Fd(::dup(STDIN_FILENO)), std::move(input.write),
                                            base::RelayOptions{}, [](auto, auto) {});
        out_ = outward(std::move(output.read), STDOUT_FILENO, safe_out);
        err_ = outward(std::move(errors.read), STDERR_FILENO, safe_err);
    }

    int run() {
        loop_.run();
        return WIFSIGNALED(*wait_status_) ? 128 + WTERMSIG(*wait_status_) : WEXITSTATUS(*wait_status_);
    }

  private:
    std::unique_ptr<base::Relay> outward(base::Fd from, int to, bool safe) {
        base::RelayOptions options;
        auto stream = safe ? std::make_shared<SafeStream>() : nullptr;
        if (stream) options.filter = [stream](std::string_view piece) { return stream->pass(piece); };
        ++open_;
        return std::make_unique<base::Relay>(loop_, std::move(from), base::Fd(::dup(to)), std::move(options),
                                             [this, stream, to](base::Relay::Ended, std::uint64_t) {
                                                 if (stream) base::write_all(to, stream->rest());
                                                 --open_;
                                                 end_when_done();
                                             });
    }

    void take_reply() {
        const auto reply = client_.receive(std::chrono::milliseconds{0});
        if (!reply || reply->kind != session::Reply::Kind::ended) return;
        wait_status_ = reply->wait_status;
        replies_.reset();
        in_.reset();
        drain_ = loop_.after(drain_limit, [this] { loop_.stop(); });
        end_when_done();
    }

    void pass_on(int number) {
        const auto now = std::chrono::steady_clock::now();
        if (number == last_signal_ && now - last_signal_at_ < same_signal) return;
        last_signal_ = number;
        last_signal_at_ = now;
        session::Request request;
        request.kind = session::Request::Kind::signal;
        request.signal = number;
        client_.send(request);
    }

    void end_when_done() {
        if (wait_status_ && open_ == 0) loop_.stop();
    }

    base::Loop loop_;
    session::Client client_;
    int open_ = 0;
    int last_signal_ = 0;
    std::chrono::steady_clock::time_point last_signal_at_;
    std::optional<int> wait_status_;
    base::Loop::Handle replies_, signals_, drain_;
    std::unique_ptr<base::Relay> in_, out_, err_;
};

} // namespace

std::vector<std::string> exec_environment(const session::Session& session) {
    auto with_grants = session;
    for (auto& variable : session::read_status(session.directory).device_variables)
        with_grants.variables.push_back(std::move(variable));
    for (auto& variable : session::port_variables(session::read_grants(session.directory).ports))
        with_grants.variables.push_back(std::move(variable));
    return session::session_environment(with_grants, {});
}

int exec_in_session(const session::Session& session, const ExecRequest& request, bool safe_out,
                    bool safe_err) {
    Exec exec(session, request, safe_out, safe_err);
    return exec.run();
}

} // namespace scad::commands
