#include "commands/terminal_exec.h"

#include "base/error.h"
#include "base/loop.h"
#include "commands/user_terminal.h"
#include "session/client.h"
#include "session/terminal_screen.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace scad::commands {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds frame = 10ms; // between what the program writes and what is shown of it
constexpr std::size_t most_typed = std::size_t{1} << 20; // bytes that the program has not read yet
constexpr std::size_t read_size = 65536;

bool shows_true_colour(const base::Variables& variables) {
    const auto value = variables.get("COLORTERM");
    return value == "truecolor" || value == "24bit";
}

class TerminalExec {
  public:
    TerminalExec(const session::Session& session, const ExecRequest& request, bool true_colour)
        : client_(session::Client::require(session)),
          size_(UserTerminal::size()),
          screen_(size_, true_colour) {
        session::Request start;
        start.kind = session::Request::Kind::exec;
        start.argv = request.argv;
        start.environment = request.environment;
        start.directory = request.directory;
        start.terminal = true;
        start.rows = size_.rows;
        start.columns = size_.columns;
        client_.send(start);
        // Its terminal, then that it runs; or fatal with why it could not be started.
        for (auto kind = session::Reply::Kind::terminal; kind == session::Reply::Kind::terminal;)
            kind = client_.receive()->kind;
        master_ = client_.take_descriptor();
        if (!master_) throw fatal("the supervisor of session '{}' gave no terminal", session.name);
        ::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
    }

    int run() {
        terminal_.emplace();
        terminal_->write(screen_.enter());
        replies_ = loop_.on_readable(client_.fd(), [this] { take_reply(); });
        output_ = loop_.on_readable(master_.get(), [this] { take_output(); });
        keys_ = loop_.on_readable(STDIN_FILENO, [this] { take_keys(); });
        signals_ = loop_.on_signals({SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT},
                                    [this](int number) { take_signal(number); });
        try {
            loop_.run();
        } catch (...) {
            leave();
            throw;
        }
        leave();
        if (signal_ != 0) return 128 + signal_;
        return WIFSIGNALED(*wait_status_) ? 128 + WTERMSIG(*wait_status_) : WEXITSTATUS(*wait_status_);
    }

  private:
    void leave() {
        terminal_->write(screen_.leave());
        terminal_->give_back();
    }

    // False at the end of what is there now.
    bool read_output() {
        std::array<char, read_size> buffer;
        const ssize_t count = ::read(master_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) {
            if (count == 0 || errno != EAGAIN) output_.reset(); // EIO: nobody has the other side any more
            return false;
        }
        screen_.write({buffer.data(), static_cast<std::size_t>(count)});
        send(screen_.take_answers());
        return true;
    }

    void take_output() {
        if (!read_output() || drawing_) return;
        drawing_ = loop_.after(frame, [this] {
            drawing_.reset();
            draw();
        });
    }

    void draw() {
        terminal_->write(screen_.draw());
        send(screen_.take_answers());
    }

    void take_keys() {
        std::array<char, 4096> buffer;
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (count <= 0) return keys_.reset();
        send(screen_.typed({buffer.data(), static_cast<std::size_t>(count)}));
        if (pending_.size() > most_typed) keys_.reset();
    }

    void send(const std::string& input) {
        if (pending_.size() + input.size() <= 2 * most_typed) pending_ += input;
        while (!pending_.empty()) {
            const ssize_t count = ::write(master_.get(), pending_.data(), pending_.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno == EAGAIN) {
                if (!room_) room_ = loop_.on_writable(master_.get(), [this] { send({}); });
                return;
            }
            if (count < 0) break;
            pending_.erase(0, static_cast<std::size_t>(count));
        }
        pending_.clear();
        room_.reset();
        if (!keys_ && !wait_status_) keys_ = loop_.on_readable(STDIN_FILENO, [this] { take_keys(); });
    }

    void take_signal(int number) {
        switch (number) {
            case SIGWINCH:
                return resize();
            case SIGTSTP: // from another process; the key of that name is the program's
                leave();
                ::kill(::getpid(), SIGSTOP);
                return;
            case SIGCONT:
                terminal_->take_over();
                terminal_->write(screen_.enter());
                screen_.forget_shown();
                return resize();
            default:
                signal_ = number;
                loop_.stop();
        }
    }

    void resize() {
        size_ = UserTerminal::size();
        winsize size{};
        size.ws_row = size_.rows;
        size.ws_col = size_.columns;
        ::ioctl(master_.get(), TIOCSWINSZ, &size);
        screen_.resize(size_);
        draw();
    }

    void take_reply() {
        const auto reply = client_.receive(std::chrono::milliseconds{0});
        if (!reply || reply->kind != session::Reply::Kind::ended) return;
        wait_status_ = reply->wait_status;
        keys_.reset();
        // Nothing of it is left, so all that it wrote is there; but never more than it can have left.
        for (std::size_t reads = 0; reads < 64 && read_output(); ++reads) continue;
        draw();
        loop_.stop();
        if (!reply->message.empty()) throw fatal("{}", reply->message);
    }

    base::Loop loop_;
    session::Client client_;
    engine::TerminalSize size_;
    session::TerminalScreen screen_;
    std::optional<UserTerminal> terminal_;
    base::Fd master_;
    std::string pending_; // typed, and not taken by the program's terminal yet
    std::optional<int> wait_status_;
    int signal_ = 0;
    base::Loop::Handle replies_, output_, keys_, room_, signals_, drawing_;
};

} // namespace

std::vector<std::string> terminal_environment(const base::Variables& variables) {
    std::vector<std::string> environment = {"TERM=xterm-256color"}; // which is what the screen understands
    if (shows_true_colour(variables)) environment.emplace_back("COLORTERM=truecolor");
    return environment;
}

int exec_on_terminal(const base::Context& context, const session::Session& session,
                     const ExecRequest& request) {
    const auto kind = context.variables.get("TERM").value_or("dumb");
    if (kind == "dumb" || kind == "unknown" || kind.empty())
        throw fatal("a terminal of kind '{}' cannot show another one", kind)
            .with_hint("git scad session exec {} -- <command>", session.name);
    TerminalExec exec(session, request, shows_true_colour(context.variables));
    return exec.run();
}

} // namespace scad::commands
