#include "commands/user_terminal.h"

#include "base/error.h"
#include "base/fd.h"

#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>

namespace scad::commands {

bool UserTerminal::is_there() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

UserTerminal::UserTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw system_error(errno, "cannot look at the terminal");
    take_over();
}

UserTerminal::~UserTerminal() { give_back(); }

void UserTerminal::take_over() {
    termios raw = before_;
    ::cfmakeraw(&raw);
    if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
        throw system_error(errno, "cannot take over the terminal");
    taken_ = true;
}

void UserTerminal::give_back() noexcept {
    if (taken_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    taken_ = false;
}

engine::TerminalSize UserTerminal::size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
    return {size.ws_row, size.ws_col};
}

void UserTerminal::write(std::string_view bytes) {
    // When it is gone, SIGHUP tells of it.
    base::write_all(STDOUT_FILENO, bytes);
}

} // namespace scad::commands
