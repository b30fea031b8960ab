#include "base/relay.h"

#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scad::base {

namespace {

constexpr std::size_t in_flight_limit = std::size_t{256} << 10;
constexpr std::size_t piece_limit = std::size_t{64} << 10;
// What poll(2) promises that a pipe takes without waiting (PIPE_BUF).
constexpr std::size_t write_limit = 4096;

bool is_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

bool is_ready(int fd, short events) {
    pollfd asked{fd, events, 0};
    return ::poll(&asked, 1, 0) == 1;
}

} // namespace

struct Relay::Implementation : std::enable_shared_from_this<Implementation> {
    Implementation(Loop& the_loop, Fd the_from, Fd the_to, RelayOptions the_options,
                   std::function<void(Ended, std::uint64_t)> the_on_end)
        : loop(the_loop),
          from(std::move(the_from)),
          to(std::move(the_to)),
          options(std::move(the_options)),
          on_end(std::move(the_on_end)),
          from_socket(is_socket(from.get())),
          to_socket(is_socket(to.get())) {}

    Loop& loop;
    Fd from;
    Fd to;
    RelayOptions options;
    std::function<void(Ended, std::uint64_t)> on_end;
    bool from_socket;
    bool to_socket;
    std::string buffer; // read and not yet written, from `written` on
    std::size_t written = 0;
    std::uint64_t bytes = 0;
    std::optional<Ended> input_ended; // nothing more is read; it ends once the buffer is empty
    Loop::Handle readable;
    Loop::Handle writable;

    std::size_t pending() const { return buffer.size() - written; }

    // Asks the loop for what can be done now.
    void update() {
        const auto keep = shared_from_this();
        if (!from && !to) return;
        if (input_ended && pending() == 0) return end(*input_ended);
        if (input_ended || pending() >= in_flight_limit) {
            readable.reset();
        } else if (!readable) {
            readable = loop.on_readable(from.get(), [self = weak_from_this()] {
                if (const auto relay = self.lock()) relay->read_some();
            });
        }
        if (pending() == 0) {
            writable.reset();
        } else if (!writable) {
            writable = loop.on_writable(to.get(), [self = weak_from_this()] {
                if (const auto relay = self.lock()) relay->write_some();
            });
        }
    }

    void read_some() {
        if (!from || input_ended) return;
        char piece[piece_limit];
        const std::size_t room =
            std::min(piece_limit, in_flight_limit - std::min(in_flight_limit, pending()));
        ssize_t count = 0;
        if (from_socket) {
            count = ::recv(from.get(), piece, room, MSG_DONTWAIT);
        } else {
            if (!is_ready(from.get(), POLLIN)) return;
            count = ::read(from.get(), piece, room);
        }
        if (count < 0) {
            if (errno == EINTR || errno == EAGAIN) return;
            // A pseudo-terminal whose other side is closed says EIO, a socket whose peer died ECONNRESET.
            input_ended = errno == EIO || errno == ECONNRESET ? Ended::end_of_file : Ended::failed;
            return update();
        }
        if (count == 0) {
            input_ended = Ended::end_of_file;
            return update();
        }
        auto size = static_cast<std::size_t>(count);
        if (options.limit > 0 && size > options.limit - bytes) {
            size = static_cast<std::size_t>(options.limit - bytes);
            input_ended = Ended::limit;
        }
        bytes += size;
        const std::string_view taken(piece, size);
        buffer.erase(0, std::exchange(written, 0));
        buffer += options.filter ? options.filter(taken) : std::string(taken);
        write_some(); // most often there is room, and the loop need not be asked
    }

    void write_some() {
        const auto keep = shared_from_this();
        while (to && pending() > 0) {
            const std::string_view rest = std::string_view(buffer).substr(written);
            ssize_t count = 0;
            if (to_socket) {
                count = ::send(to.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            } else {
                if (!is_ready(to.get(), POLLOUT)) break;
                count = ::write(to.get(), rest.data(), std::min(rest.size(), write_limit));
            }
            if (count >= 0) {
                written += static_cast<std::size_t>(count);
                continue;
            }
            if (errno == EINTR) continue;
            if (errno == EAGAIN) break;
            return end(errno == EPIPE || errno == ECONNRESET ? Ended::reader_gone : Ended::failed);
        }
        if (pending() == 0) {
            buffer.clear();
            written = 0;
        }
        update();
    }

    void close() {
        readable.reset();
        writable.reset();
        from.reset();
        to.reset();
    }

    void end(Ended how) {
        const auto keep = shared_from_this();
        // Both may be shared with a relay the other way: the peer is told of the end in this direction.
        if (to_socket) ::shutdown(to.get(), SHUT_WR);
        if (from_socket && how != Ended::end_of_file) ::shutdown(from.get(), SHUT_RD);
        close();
        if (const auto told = std::exchange(on_end, nullptr)) told(how, bytes);
    }
};

Relay::Relay(Loop& loop, Fd from, Fd to, RelayOptions options,
             std::function<void(Ended, std::uint64_t)> on_end)
    : implementation_(std::make_shared<Implementation>(loop, std::move(from), std::move(to),
                                                       std::move(options), std::move(on_end))) {
    implementation_->update();
}

Relay::~Relay() {
    implementation_->on_end = nullptr;
    implementation_->close();
}

} // namespace scad::base
