#pragma once

#include "agent/events.h"
#include "base/fd.h"
#include "session/capped_log.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::session {

// Reads what is new in a job's events.jsonl each time it is asked. A file that does not exist yet is empty.
class EventFollower {
  public:
    explicit EventFollower(const std::filesystem::path& job_directory)
        : path_(job_directory / "events.jsonl") {}

    // Whole lines that came since the last call, at most about 1 MiB of them; nothing: all was read. Lines
    // that are no events are passed over. Texts are foreign.
    std::vector<agent::Event> read();

  private:
    std::filesystem::path path_;
    base::Fd fd_;
    bool too_long_ = false; // the line that is not whole is passed over
    std::string rest_;      // a line that is not whole yet
};

// The same for output.log, while it is written in pieces as well as when it is whole (session/capped_log.h):
// bytes as the job wrote them (foreign), with a cut line where the log's middle is missing or this reader was
// overtaken.
class OutputFollower {
  public:
    explicit OutputFollower(const std::filesystem::path& job_directory, std::uint64_t limit = output_limit)
        : path_(job_directory / "output.log"), half_(limit / 2), piece_size_(log_piece_size(limit)) {}

    // At most 256 KiB that came since the last call; empty: all was read.
    std::string read();

  private:
    std::string read_joined();
    std::optional<std::uint64_t> first_piece_after(std::uint64_t number) const;

    std::filesystem::path path_;
    std::uint64_t half_;
    std::uint64_t piece_size_;
    std::uint64_t position_ = 0; // in the whole stream, as if nothing was cut
};

} // namespace scad::session
