#include "engine/init/channel.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace scad::init {

void Channel::Incoming::close_descriptors() {
    for (int& fd : descriptors) {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
}

std::optional<Channel::Incoming> Channel::receive() {
    Incoming incoming;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * protocol::start_descriptors)] = {};
    iovec data{&incoming.request, sizeof incoming.request};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = 0;
    do n = ::recvmsg(fd_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (n <= 0) {
        at_end_ = true;
        return std::nullopt;
    }
    std::size_t count = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        std::size_t fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < fds; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (count < incoming.descriptors.size())
                incoming.descriptors[count++] = fd;
            else
                ::close(fd);
        }
    }
    std::size_t wanted = 0;
    if (incoming.request.kind == protocol::RequestKind::start) wanted = protocol::start_descriptors;
    if (incoming.request.kind == protocol::RequestKind::start_on_terminal) wanted = 1;
    incoming.valid = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
                     static_cast<std::size_t>(n) == sizeof incoming.request &&
                     incoming.request.version == protocol::version && count == wanted;
    if (!incoming.valid) incoming.close_descriptors();
    return incoming;
}

bool Channel::send_now(const Outgoing& outgoing) {
    iovec data{const_cast<protocol::Reply*>(&outgoing.reply), sizeof outgoing.reply};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (outgoing.descriptor >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &outgoing.descriptor, sizeof(int));
    }
    ssize_t n = 0;
    do n = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    // ETOOMANYREFS: too many descriptors are under way; that passes as the other side reads.
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ENOMEM &&
                      errno != ETOOMANYREFS);
}

void Channel::send(const protocol::Reply& reply, int descriptor) {
    queue_.push_back({reply, descriptor});
    flush();
}

void Channel::flush() {
    while (!queue_.empty() && send_now(queue_.front())) {
        if (queue_.front().descriptor >= 0) ::close(queue_.front().descriptor);
        queue_.pop_front();
    }
}

} // namespace scad::init
