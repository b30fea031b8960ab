#include "engine/transfer/stream.h"

#include "engine/transfer/transfer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace scad::transfer {

namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10;

} // namespace

std::string with_errno(const std::string& what) {
    const int error = errno;
    return what + ": " + std::strerror(error);
}

Owned& Owned::operator=(Owned&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

Owned::~Owned() {
    if (fd_ >= 0) ::close(fd_);
}

void Writer::text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    put(text.data(), text.size());
}

void Writer::put(const void* data, std::size_t size) {
    buffer_.append(static_cast<const char*>(data), size);
    if (buffer_.size() >= buffer_size) flush();
}

void Writer::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const ssize_t count = ::write(fd_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) {
            on_signal_();
            continue;
        }
        if (count < 0) throw Failure(with_errno("the other side does not take it"));
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    buffer_.clear();
}

void Reader::get(void* data, std::size_t size) {
    auto* to = static_cast<char*>(data);
    while (size > 0) {
        if (taken_ == buffer_.size()) {
            buffer_.resize(buffer_size);
            taken_ = 0;
            ssize_t count = 0;
            while ((count = ::read(fd_, buffer_.data(), buffer_.size())) < 0 && errno == EINTR) on_signal_();
            buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
            if (count < 0) throw Failure(with_errno("cannot read what comes"));
            if (count == 0) throw Failure("the other side ended before all had come");
        }
        const std::size_t part = std::min(size, buffer_.size() - taken_);
        std::memcpy(to, buffer_.data() + taken_, part);
        taken_ += part;
        to += part;
        size -= part;
    }
}

Kind Reader::kind() {
    std::uint8_t value = 0;
    get(&value, sizeof value);
    if (value < static_cast<std::uint8_t>(Kind::folder) || value > static_cast<std::uint8_t>(Kind::end))
        throw Failure("what comes is malformed");
    return static_cast<Kind>(value);
}

std::uint32_t Reader::number() {
    std::uint32_t value = 0;
    get(&value, sizeof value);
    return value;
}

Attributes Reader::attributes() {
    Attributes value;
    get(&value, sizeof value);
    return value;
}

std::string Reader::text(std::size_t limit) {
    const std::uint32_t size = number();
    if (size > limit) throw Failure("what comes is malformed");
    std::string text(size, '\0');
    get(text.data(), text.size());
    return text;
}

} // namespace scad::transfer
