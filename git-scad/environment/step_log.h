#pragma once

#include "base/fd.h"

#include <cstddef>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace scad::environment {

// Takes down what the steps of one build print: all of it in the log of the build, and each step's beside
// what it makes. What is printed is foreign.
class StepLog {
  public:
    static constexpr std::size_t most = std::size_t{64} << 20; // bytes of one step that are kept
    explicit StepLog(std::filesystem::path path) : path_(std::move(path)) {} // of the build's log

    void begin_step(const std::filesystem::path& file, std::size_t number, const std::string& title);
    void write(std::string_view text);
    void end_step();

    const std::filesystem::path& path() const { return path_; }
    // Of the step that runs, or has just ended; safe to print.
    std::string last_line() const;
    std::vector<std::string> last_lines() const; // at most 20

  private:
    void put(std::string_view text);

    std::filesystem::path path_;
    base::Fd build_, step_;
    std::size_t written_ = 0;
    std::string line_; // the one that is not ended yet
    std::deque<std::string> lines_;
};

} // namespace scad::environment
