#pragma once

#include "base/context.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace scad::commands {

// The throw-away place in which the demo runs the real programs: a directory with a home, settings and state
// of its own. Its end removes the sessions and the directory, whatever happened.
class DemoWorld {
  public:
    explicit DemoWorld(const base::Context& context);
    ~DemoWorld();
    DemoWorld(const DemoWorld&) = delete;
    DemoWorld& operator=(const DemoWorld&) = delete;

    const std::filesystem::path& top() const { return top_; }
    // A file with its missing directories.
    void write(const std::filesystem::path& name, std::string_view content) const;
    // Runs a program in a directory of this world, with the terminal of the caller. Fatal when it fails, or
    // when a signal came meanwhile.
    void run(const std::filesystem::path& directory, const std::vector<std::string>& argv) const;
    // Ends the sessions and removes everything. Fatal with what is left.
    void remove();

  private:
    void end_sessions() const;

    std::filesystem::path top_;
    std::vector<std::string> environment_;
    bool removed_ = false;
};

// The signal (SIGINT, SIGTERM, SIGHUP) that came since a world was made; 0: none.
int demo_signal();

} // namespace scad::commands
