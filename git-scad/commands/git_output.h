#pragma once

#include "base/context.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::commands {

// Shows what git says about content that came from a session. To a terminal: line by line with control
// characters made visible and in scad's own colours (git's would leave foreign escape sequences in between),
// through the user's pager once start_pager() was called. To anything else safe as well, or byte for
// byte, so that a patch can be applied.
class GitOutput {
  public:
    enum class Elsewhere { safe, as_it_is }; // what is no terminal
    GitOutput(const base::Context& context, Elsewhere elsewhere) : context_(context), elsewhere_(elsewhere) {}

    // A line of ours between two outputs.
    void title(const std::string& text);
    // Runs git in `directory`; fatal when it fails. True: it printed something.
    bool show(const std::filesystem::path& directory, const std::vector<std::string>& arguments);

  private:
    const base::Context& context_;
    Elsewhere elsewhere_;
    bool any_ = false;
};

// One line of a diff, stat or log with colours for a terminal. `line` is safe already. Pure but for the
// terminal's decision on colour.
std::string colour_line(const base::Terminal& terminal, const std::string& line);

} // namespace scad::commands
