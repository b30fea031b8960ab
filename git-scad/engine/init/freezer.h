#pragma once

#include <chrono>
#include <sys/types.h>
#include <vector>

namespace scad::init {

// Stops all that jobs have started, and lets it go on. Done in steps, because a process that was told to stop
// does so when it next could run.
class Freezer {
  public:
    enum class Outcome { not_yet, frozen, failed };

    void begin();
    // One pass over all processes but process 1 and the `spared` ones, until there is an outcome. After
    // `failed` they go on.
    Outcome step(const std::vector<pid_t>& spared);
    // Lets go on what was stopped here; what a job had stopped before stays so.
    void thaw();

    bool busy() const { return busy_; } // step() is to be called

  private:
    bool stop(pid_t pid); // false: it runs still

    bool busy_ = false;
    int passes_ = 0;
    int quiet_passes_ = 0;
    std::chrono::steady_clock::time_point end_;
    std::vector<pid_t> stopped_; // parents before their children
};

} // namespace scad::init
