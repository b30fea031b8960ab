#pragma once

#include "engine/engine.h"

#include <string_view>
#include <termios.h>

namespace scad::commands {

// The terminal that the user sits at (standard input and output), while it is taken over: raw(termios(3)),
// put back by the destructor.
class UserTerminal {
  public:
    // Whether there is one.
    static bool is_there();
    // Fatal when it cannot be taken over.
    UserTerminal();
    ~UserTerminal();
    UserTerminal(const UserTerminal&) = delete;
    UserTerminal& operator=(const UserTerminal&) = delete;

    void take_over();
    void give_back() noexcept;
    static engine::TerminalSize size();
    static void write(std::string_view bytes);

  private:
    termios before_{};
    bool taken_ = false;
};

} // namespace scad::commands
