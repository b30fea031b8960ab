#include "session/follow.h"

#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::size_t events_at_once = std::size_t{1} << 20;
constexpr std::size_t longest_event = std::size_t{16} << 20;
constexpr std::size_t output_at_once = std::size_t{256} << 10;

std::string read_at(int fd, std::uint64_t offset, std::size_t most) {
    std::string bytes(most, '\0');
    ssize_t count = 0;
    do {
        count = ::pread(fd, bytes.data(), most, static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw system_error(errno, "cannot read a job's log");
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

std::uint64_t size_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

} // namespace

std::vector<agent::Event> EventFollower::read() {
    std::vector<agent::Event> events;
    if (!fd_) {
        auto opened = base::open_if_exists(path_, O_RDONLY);
        if (!opened) return events;
        fd_ = std::move(*opened);
    }
    std::string buffer(std::size_t{64} << 10, '\0');
    for (std::size_t taken = 0; events.empty() || taken < events_at_once;) {
        const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        taken += static_cast<std::size_t>(count);
        rest_.append(buffer, 0, static_cast<std::size_t>(count));
        std::size_t start = 0;
        for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', start)) {
            const std::string_view line = std::string_view(rest_).substr(start, end - start);
            if (!std::exchange(too_long_, false)) {
                if (auto event = agent::from_json_line(line)) events.push_back(std::move(*event));
            }
            start = end + 1;
        }
        rest_.erase(0, start);
        if (rest_.size() > longest_event) {
            too_long_ = true;
            rest_.clear();
        }
    }
    return events;
}

std::optional<std::uint64_t> OutputFollower::first_piece_after(std::uint64_t number) const {
    std::optional<std::uint64_t> first;
    const std::string start = path_.filename().native() + ".";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path_.parent_path(), error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(start)) continue;
        std::uint64_t found = 0;
        const auto parsed = std::from_chars(name.data() + start.size(), name.data() + name.size(), found);
        if (parsed.ec == std::errc{} && found > number && (!first || found < *first)) first = found;
    }
    return first;
}

std::string OutputFollower::read() {
    if (position_ < half_) {
        auto head = base::open_if_exists(path_, O_RDONLY);
        if (!head) return {};
        std::string bytes =
            read_at(head->get(), position_, std::min<std::uint64_t>(output_at_once, half_ - position_));
        position_ += bytes.size();
        if (!bytes.empty() || position_ < half_) return bytes;
    }
    const std::uint64_t number = (position_ - half_) / piece_size_ + 1;
    const std::uint64_t offset = (position_ - half_) % piece_size_;
    if (auto piece = base::open_if_exists(log_piece(path_, number), O_RDONLY)) {
        std::string bytes = read_at(piece->get(), offset, output_at_once);
        position_ += bytes.size();
        if (!bytes.empty()) return bytes;
    }
    const std::optional<std::uint64_t> later = first_piece_after(number);
    if (!later) return read_joined();
    const std::uint64_t next = half_ + (*later - 1) * piece_size_;
    const std::uint64_t missing = next - std::exchange(position_, next);
    return cut_line(missing);
}

// Everything is in one file again, or nothing has come since.
std::string OutputFollower::read_joined() {
    auto log = base::open_if_exists(path_, O_RDONLY);
    if (!log || size_of(log->get()) <= half_) return {};
    const CutLine cut = parse_cut_line(read_at(log->get(), half_, 128)).value_or(CutLine{});
    const std::uint64_t tail = half_ + cut.left_out;
    if (position_ < tail) return cut_line(tail - std::exchange(position_, tail));
    std::string bytes = read_at(log->get(), half_ + cut.length + (position_ - tail), output_at_once);
    position_ += bytes.size();
    return bytes;
}

} // namespace scad::session
