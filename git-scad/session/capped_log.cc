#include "session/capped_log.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::uint64_t pieces_in_half = 8;
constexpr std::string_view cut_begin = "\n[scad: ";
constexpr std::string_view cut_end = " bytes are left out here]\n";

// The size of an open file; 0 when it cannot be told.
std::uint64_t size_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void copy_to_end(int from, int to) {
    std::string buffer(std::size_t{256} << 10, '\0');
    for (;;) {
        const ssize_t count = ::read(from, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        base::write_all(to, std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    }
}

// The numbers of the pieces that lie beside a log, ascending.
std::deque<std::uint64_t> find_pieces(const std::filesystem::path& path) {
    std::deque<std::uint64_t> numbers;
    const std::string start = path.filename().native() + ".";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(start)) continue;
        std::uint64_t number = 0;
        const char* end = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + start.size(), end, number);
        if (parsed.ec == std::errc{} && parsed.ptr == end && number > 0) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

void join_pieces(const std::filesystem::path& path, int head, std::uint64_t left_out,
                 const std::deque<std::uint64_t>& pieces) {
    if (left_out > 0) base::write_all(head, cut_line(left_out));
    for (const std::uint64_t number : pieces) {
        const std::filesystem::path piece = log_piece(path, number);
        if (auto from = base::open_if_exists(piece, O_RDONLY)) copy_to_end(from->get(), head);
    }
    // The newest first, so that a reader never takes one that is joined for one that was dropped.
    for (auto number = pieces.rbegin(); number != pieces.rend(); ++number)
        ::unlink(log_piece(path, *number).c_str());
}

} // namespace

std::uint64_t log_piece_size(std::uint64_t limit) {
    return std::max<std::uint64_t>(limit / 2 / pieces_in_half, 1);
}

std::filesystem::path log_piece(const std::filesystem::path& path, std::uint64_t number) {
    return path.native() + "." + std::to_string(number);
}

std::string cut_line(std::uint64_t left_out) {
    return std::string(cut_begin) + std::to_string(left_out) + std::string(cut_end);
}

std::optional<CutLine> parse_cut_line(std::string_view text) {
    if (!text.starts_with(cut_begin)) return std::nullopt;
    CutLine line;
    const char* start = text.data() + cut_begin.size();
    const auto parsed = std::from_chars(start, text.data() + text.size(), line.left_out);
    if (parsed.ec != std::errc{} ||
        !text.substr(cut_begin.size() + static_cast<std::size_t>(parsed.ptr - start)).starts_with(cut_end)) {
        return std::nullopt;
    }
    line.length = cut_line(line.left_out).size();
    return line;
}

CappedLog::CappedLog(std::filesystem::path path, std::uint64_t limit)
    : path_(std::move(path)),
      half_(limit / 2),
      piece_limit_(log_piece_size(limit)),
      head_(base::open_file(path_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600)),
      head_size_(size_of(head_.get())) {}

bool CappedLog::append(int fd, std::string_view bytes) {
    try {
        return base::write_all(fd, bytes);
    } catch (const Error&) { // what it says more often than once is of no use to anybody
        return false;
    }
}

void CappedLog::write(std::string_view bytes) {
    if (!head_ || bytes.empty()) return;
    if (pieces_.empty()) {
        const auto room = static_cast<std::size_t>(half_ - std::min(half_, head_size_));
        const std::string_view first = bytes.substr(0, room);
        if (!append(head_.get(), first)) left_out_ += bytes.size();
        head_size_ = size_of(head_.get());
        bytes.remove_prefix(first.size());
    }
    while (!bytes.empty()) {
        if (pieces_.empty() || pieces_.back().size >= piece_limit_) {
            const std::uint64_t number = pieces_.empty() ? 1 : pieces_.back().number + 1;
            // Nobody else writes here, so one that cannot be opened is one that cannot be written either.
            tail_ = base::Fd(::open(log_piece(path_, number).c_str(),
                                    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
            if (!tail_) {
                left_out_ += bytes.size();
                return;
            }
            pieces_.push_back({number, 0});
            if (pieces_.size() > pieces_in_half + 1) { // one of them is being filled
                ::unlink(log_piece(path_, pieces_.front().number).c_str());
                left_out_ += pieces_.front().size;
                pieces_.pop_front();
            }
        }
        Piece& piece = pieces_.back();
        const auto room = static_cast<std::size_t>(piece_limit_ - piece.size);
        const std::string_view next = bytes.substr(0, room);
        if (!append(tail_.get(), next)) left_out_ += next.size();
        piece.size += next.size();
        bytes.remove_prefix(next.size());
    }
}

void CappedLog::finish() {
    if (!head_) return;
    std::deque<std::uint64_t> numbers;
    for (const Piece& piece : pieces_) numbers.push_back(piece.number);
    // The oldest piece is one more than the half that is promised.
    std::uint64_t tail = 0;
    for (const Piece& piece : pieces_) tail += piece.size;
    if (!numbers.empty() && tail > half_) {
        left_out_ += pieces_.front().size;
        ::unlink(log_piece(path_, numbers.front()).c_str());
        numbers.pop_front();
    }
    tail_.reset();
    pieces_.clear();
    const base::Fd head = std::exchange(head_, base::Fd());
    join_pieces(path_, head.get(), left_out_, numbers);
}

void CappedLog::mend(const std::filesystem::path& path) {
    const std::deque<std::uint64_t> pieces = find_pieces(path);
    if (pieces.empty()) return;
    auto head = base::open_if_exists(path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    if (!head) return;
    // Pieces have one size, so what is gone can be told from the number of the oldest.
    std::error_code error;
    const std::uint64_t each =
        pieces.size() > 1 ? std::filesystem::file_size(log_piece(path, pieces.front()), error) : 0;
    join_pieces(path, head->get(), error ? 0 : (pieces.front() - 1) * each, pieces);
}

} // namespace scad::session
