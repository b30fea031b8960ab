#pragma once

#include "base/fd.h"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace scad::session {

inline constexpr std::uint64_t output_limit = std::uint64_t{100} << 20; // bytes of one job's output.log

// A log that never grows past a limit: its first half is kept, of the rest the last half. While it is written
// the rest lies in pieces beside it ("<path>.1", "<path>.2", …, the oldest removed as new ones come);
// finish() makes one file of all, with a line in the middle that says how much is missing. Nothing is kept in
// memory. A write that fails (a full disk) is counted as left out; the log goes on with the next one that
// succeeds.
class CappedLog {
  public:
    // Makes the file (0600), or goes on at the end of one that is there. Fatal when it cannot be opened.
    CappedLog(std::filesystem::path path, std::uint64_t limit);

    void write(std::string_view bytes);
    void finish();
    std::uint64_t left_out() const { return left_out_; }

    // finish() for a log whose writer was killed. No error when there is nothing to do.
    static void mend(const std::filesystem::path& path);

  private:
    struct Piece {
        std::uint64_t number = 0;
        std::uint64_t size = 0;
    };
    bool append(int fd, std::string_view bytes);

    std::filesystem::path path_;
    std::uint64_t half_;
    std::uint64_t piece_limit_;
    base::Fd head_;
    std::uint64_t head_size_ = 0;
    base::Fd tail_; // the newest piece
    std::deque<Piece> pieces_;
    std::uint64_t left_out_ = 0;
};

// The size of a piece, but for the newest: the stream's byte n lies, for n beyond the first half, in piece
// (n - limit / 2) / size + 1.
std::uint64_t log_piece_size(std::uint64_t limit);

// The piece `number` of a log.
std::filesystem::path log_piece(const std::filesystem::path& path, std::uint64_t number);

// The line in the middle of a log that was cut, and how many bytes it says are missing: the line's own length
// and that number, when `text` starts with one. Pure.
std::string cut_line(std::uint64_t left_out);
struct CutLine {
    std::size_t length = 0;
    std::uint64_t left_out = 0;
};
std::optional<CutLine> parse_cut_line(std::string_view text);

} // namespace scad::session
