#pragma once

#include "agent/events.h"
#include "base/context.h"
#include "commands/safe_stream.h"
#include "session/job.h"

#include <string>
#include <string_view>

namespace scad::commands {

// Prints what one job says to stdout as it comes, safe for a terminal: an agent's text and a line for each
// tool, a command's output as it is. With a prefix, each line starts with it.
class JobPrinter {
  public:
    // `prefix` "alpha │ ": empty for a single job.
    JobPrinter(base::Terminal& terminal, std::string prefix)
        : terminal_(terminal), prefix_(std::move(prefix)) {}

    void event(const agent::Event& event);
    void output(std::string_view bytes);
    void end(); // ends a line that the job left open

  private:
    void lines(std::string_view text, base::Style style);

    base::Terminal& terminal_;
    std::string prefix_;
    SafeStream stream_;
    std::string pending_;    // with a prefix: a line that is not whole yet
    bool line_open_ = false; // without: the last output did not end in a newline
};

} // namespace scad::commands
