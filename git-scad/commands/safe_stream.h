#pragma once

#include <string>
#include <string_view>

namespace scad::commands {

// A stream of foreign bytes on its way to a terminal: control characters become visible, newlines and tabs
// stay, "\r\n" is a newline. A character that is cut in two by the end of a piece waits for the rest.
class SafeStream {
  public:
    std::string pass(std::string_view piece);
    std::string rest(); // at the end

  private:
    std::string pending_;
};

} // namespace scad::commands
