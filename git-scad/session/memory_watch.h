#pragma once

#include "base/loop.h"
#include "session/programs.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace scad::session {

// A process as proc(5) tells of it.
struct ProcessFacts {
    pid_t parent = 0;
    pid_t inner = 0;          // its number in the innermost pid namespace
    std::uint64_t memory = 0; // bytes, sum of PSS; 0: not known
};

// How much memory each of these programs (by their numbers inside) uses with all that it started, its leader
// included: the part of the tree below process 1 of the sandbox in which it lies. Pure.
std::map<pid_t, std::uint64_t> memory_by_program(const std::map<pid_t, ProcessFacts>& processes,
                                                 const std::vector<pid_t>& programs);

// All processes below this one.
std::map<pid_t, ProcessFacts> descendants_of_self();

// Holds a sandbox to its limit where no cgroup does: looks twice a second, and above the limit names the
// program to be ended: that which uses most with all that it started; where it cannot be told, the newest.
class MemoryWatch {
  public:
    MemoryWatch(base::Loop& loop, Programs& programs, std::uint64_t limit,
                std::function<void(std::uint64_t program, const std::string& reason)> over);

  private:
    void look();
    std::uint64_t greatest() const; // of those that were not named yet; 0: none

    Programs& programs_;
    std::uint64_t limit_;
    std::function<void(std::uint64_t, const std::string&)> over_;
    std::map<std::uint64_t, std::chrono::steady_clock::time_point> named_; // and not gone yet
    base::Loop::Handle timer_;
};

} // namespace scad::session
