#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

// The bytes of a transfer: records of one kind byte and what belongs to it, numbers as they lie in memory
// (both ends are on one machine and of one build).
//
//   folder  name mode time     what follows is in it, until `up`
//   up
//   file    name mode time     then pieces (u32 size, bytes) until one of size 0
//   link    name target
//   special                    one that cannot be sent
//   failure text               the sender gave up
//   end
namespace scad::transfer {

inline constexpr std::string_view magic = "scad-transfer-1\n";
inline constexpr std::size_t piece_limit = std::size_t{128} << 10;
inline constexpr std::size_t name_limit = 255;
inline constexpr std::size_t text_limit = 4096; // of a link's target, of a failure
inline constexpr std::size_t depth_limit = 200; // one descriptor for each level

enum class Kind : std::uint8_t { folder = 1, up, file, link, special, failure, end };

struct Attributes {
    std::uint32_t mode = 0;
    std::uint32_t nanoseconds = 0;
    std::int64_t seconds = 0; // of the last change
};

// `on_signal` is called when a signal has interrupted a wait for the other side; it may throw.
class Writer {
  public:
    Writer(int fd, std::function<void()> on_signal) : fd_(fd), on_signal_(std::move(on_signal)) {}
    void kind(Kind kind) { put(&kind, sizeof kind); }
    void number(std::uint32_t value) { put(&value, sizeof value); }
    void attributes(const Attributes& value) { put(&value, sizeof value); }
    void text(std::string_view text);
    void put(const void* data, std::size_t size);
    void flush();

  private:
    int fd_;
    std::function<void()> on_signal_;
    std::string buffer_;
};

class Reader {
  public:
    Reader(int fd, std::function<void()> on_signal) : fd_(fd), on_signal_(std::move(on_signal)) {}
    Kind kind();
    std::uint32_t number();
    Attributes attributes();
    std::string text(std::size_t limit);
    void get(void* data, std::size_t size); // Failure when the stream ends before

  private:
    int fd_;
    std::function<void()> on_signal_;
    std::string buffer_;
    std::size_t taken_ = 0;
};

// "<what>: <text of errno>"
std::string with_errno(const std::string& what);

// A descriptor that is closed with its owner.
class Owned {
  public:
    explicit Owned(int fd = -1) : fd_(fd) {}
    Owned(Owned&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Owned& operator=(Owned&& other) noexcept;
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

} // namespace scad::transfer
