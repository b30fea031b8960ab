#include "base/socket.h"

#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace scad::base {

namespace {

constexpr std::size_t control_size = CMSG_SPACE(sizeof(int) * message_fd_limit);

Fd make_socket() {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) throw system_error(errno, "cannot make a socket");
    return fd;
}

// Room for the largest message whatever the system's default; the kernel doubles the number for its own
// needs.
void make_room(int fd) {
    const int size = static_cast<int>(message_limit) * 2;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

// An address holds 107 bytes; below /proc/self/fd a directory of any length is short.
sockaddr_un address_of(int directory, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
    if (path.size() >= sizeof address.sun_path) throw fatal("the name of the socket '{}' is too long", name);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// sendmsg(2) of one message; the error, 0 when it is sent.
int send_message(int fd, std::string_view body, const std::vector<int>& fds, int flags) {
    if (body.empty()) throw fatal("cannot send an empty message"); // the other side would take it for the end
    if (body.size() > message_limit)
        throw fatal("cannot send a message of {} bytes: it is too long", body.size());
    if (fds.size() > message_fd_limit) throw fatal("cannot send {} descriptors with one message", fds.size());
    iovec part{const_cast<char*>(body.data()), body.size()}; // sendmsg does not write to it
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) char control[control_size] = {};
    if (!fds.empty()) {
        const std::size_t size = sizeof(int) * fds.size();
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(size);
        cmsghdr* first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(first), fds.data(), size);
    }
    while (::sendmsg(fd, &header, flags | MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

bool means_gone(int error) {
    return error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == ECONNREFUSED ||
           error == EBADF;
}

std::vector<Fd> take_descriptors(msghdr& header) {
    std::vector<Fd> fds;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, reinterpret_cast<const char*>(part) + at, sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

} // namespace

bool MessageSocket::send(std::string_view body, const std::vector<int>& fds) {
    for (;;) {
        const int error = send_message(fd_.get(), body, fds, 0);
        if (error == 0) return true;
        if (means_gone(error)) return false;
        if (error != EAGAIN && error != ENOBUFS) throw system_error(error, "cannot send a message");
        pollfd waiting{fd_.get(), POLLOUT, 0};
        ::poll(&waiting, 1, 1000);
    }
}

MessageSocket::Sent MessageSocket::try_send(std::string_view body, const std::vector<int>& fds) {
    const int error = send_message(fd_.get(), body, fds, MSG_DONTWAIT);
    if (error == 0) return Sent::yes;
    if (means_gone(error)) return Sent::gone;
    if (error == EAGAIN || error == ENOBUFS) return Sent::full;
    throw system_error(error, "cannot send a message");
}

std::optional<Message> MessageSocket::receive(std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const bool for_ever = timeout.count() < 0;
    const auto end = Clock::now() + timeout;
    const auto buffer = std::make_unique_for_overwrite<char[]>(message_limit);
    while (fd_ && !at_end_) {
        iovec part{buffer.get(), message_limit};
        alignas(cmsghdr) char control[control_size];
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const ssize_t count = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (count >= 0) {
            std::vector<Fd> fds = take_descriptors(header);
            if (count == 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) break;
            return Message{std::string(buffer.get(), static_cast<std::size_t>(count)), std::move(fds)};
        }
        if (errno == EINTR) continue;
        if (errno == ECONNRESET || errno == ENOTCONN) break;
        if (errno != EAGAIN) throw system_error(errno, "cannot receive a message");
        int wait = -1;
        if (!for_ever) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) return std::nullopt;
            wait = static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000));
        }
        pollfd waiting{fd_.get(), POLLIN, 0};
        ::poll(&waiting, 1, wait);
    }
    at_end_ = true;
    return std::nullopt;
}

SocketPair make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        throw system_error(errno, "cannot make a pair of sockets");
    }
    for (const int end : ends) make_room(end);
    return {MessageSocket(Fd(ends[0])), MessageSocket(Fd(ends[1]))};
}

Fd listen_at(const std::filesystem::path& directory, const std::string& name) {
    const Fd place = open_file(directory, O_PATH | O_DIRECTORY);
    const sockaddr_un address = address_of(place.get(), name);
    struct stat status {};
    if (::fstatat(place.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode)) {
        ::unlinkat(place.get(), name.c_str(), 0);
    }
    Fd listener = make_socket();
    // bind(2) gives the file the mode of the socket, so that there is no moment in which it is open to
    // others.
    if (::fchmod(listener.get(), 0600) != 0 ||
        ::bind(listener.get(), generic(address), sizeof address) != 0 || ::listen(listener.get(), 64) != 0 ||
        ::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0) {
        throw system_error(errno, "cannot listen at '{}'", (directory / name).native());
    }
    return listener;
}

std::optional<MessageSocket> accept_from(int listener) {
    for (;;) {
        Fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            // Out of descriptors or memory: the connection stays in the queue, and whoever calls this lives
            // on.
            if (errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM) {
                return std::nullopt;
            }
            throw system_error(errno, "cannot accept a connection");
        }
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid())
            continue;
        make_room(fd.get());
        return MessageSocket(std::move(fd));
    }
}

std::optional<MessageSocket> connect_at(const std::filesystem::path& directory, const std::string& name) {
    const std::optional<Fd> place = open_if_exists(directory, O_PATH | O_DIRECTORY);
    if (!place) return std::nullopt;
    const sockaddr_un address = address_of(place->get(), name);
    Fd fd = make_socket();
    // connect(2) waits by this one when the listener's queue is full; EAGAIN then.
    const timeval patience{10, 0};
    const timeval none{0, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (::connect(fd.get(), generic(address), sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
        if (errno == EISCONN) break;
        if (errno == EAGAIN) throw fatal("nobody answers at '{}'", (directory / name).native());
        if (errno != EINTR) throw system_error(errno, "cannot connect to '{}'", (directory / name).native());
    }
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    make_room(fd.get());
    return MessageSocket(std::move(fd));
}

} // namespace scad::base
