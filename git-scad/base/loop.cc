#include "base/loop.h"

#include "base/error.h"
#include "base/fd.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <map>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <vector>

namespace scad::base {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// One on_readable() or on_writable().
struct Watch {
    int fd = -1;
    bool writable = false;
    std::function<void()> handler;
    bool alive = true;
};

struct Timer {
    Timer(asio::io_context& context, std::chrono::milliseconds the_period, bool is_repeated,
          std::function<void()> f)
        : timer(context, the_period), period(the_period), repeated(is_repeated), handler(std::move(f)) {}
    asio::steady_timer timer;
    std::chrono::milliseconds period;
    bool repeated;
    std::function<void()> handler;
    bool alive = true;
};

void arm(const std::shared_ptr<Timer>& timer) {
    timer->timer.async_wait([timer](const error_code& error) {
        if (error || !timer->alive) return;
        if (timer->repeated) {
            // From the planned moment, not from now, but never a burst to catch up.
            const auto now = std::chrono::steady_clock::now();
            timer->timer.expires_at(std::max(timer->timer.expiry() + timer->period, now));
            arm(timer);
        }
        timer->handler();
    });
}

template <class F> class OnDestruction : public Loop::Registration {
  public:
    explicit OnDestruction(F f) : f_(std::move(f)) {}
    ~OnDestruction() override { f_(); }
    OnDestruction(const OnDestruction&) = delete;
    OnDestruction& operator=(const OnDestruction&) = delete;

  private:
    F f_;
};

template <class F> Loop::Handle on_destruction(F f) {
    return std::make_unique<OnDestruction<F>>(std::move(f));
}

} // namespace

// Asio makes a descriptor non-blocking for everybody who shares it, even only to wait for it. So descriptors
// are watched by an epoll(7) instance of our own, level-triggered, and Asio waits for that one.
struct Loop::Implementation : std::enable_shared_from_this<Implementation> {
    asio::io_context context{1}; // one thread runs it, others may post
    asio::posix::stream_descriptor epoll{context};
    bool waiting = false;        // for `epoll`
    bool always_pending = false; // a round of `always` is posted
    std::map<int, std::vector<std::shared_ptr<Watch>>> watches;
    std::vector<std::shared_ptr<Watch>> always; // on what epoll refuses: files, which are always ready

    Implementation() {
        const int fd = ::epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0) throw system_error(errno, "cannot make an event loop");
        epoll.assign(fd);
    }

    Handle watch(int fd, bool writable, std::function<void()> handler) {
        auto added = std::make_shared<Watch>(Watch{fd, writable, std::move(handler)});
        watches[fd].push_back(added);
        const int error = update(fd);
        if (error != 0) {
            remove(watches[fd], added);
            if (watches[fd].empty()) watches.erase(fd);
            if (error != EPERM) throw system_error(error, "cannot wait for descriptor {}", fd);
            always.push_back(added);
        }
        wait_again();
        return on_destruction([weak = weak_from_this(), added] {
            added->alive = false;
            if (const auto self = weak.lock()) self->unwatch(added);
        });
    }

    void unwatch(const std::shared_ptr<Watch>& watch) {
        remove(always, watch);
        const auto found = watches.find(watch->fd);
        if (found == watches.end()) return;
        remove(found->second, watch);
        update(watch->fd);
        if (found->second.empty()) watches.erase(found);
        if (watches.empty() && waiting) epoll.cancel(); // nothing is registered: run() may end
    }

    static void remove(std::vector<std::shared_ptr<Watch>>& list, const std::shared_ptr<Watch>& watch) {
        list.erase(std::remove(list.begin(), list.end(), watch), list.end());
    }

    // Tells epoll what is wanted of `fd` now; the error, or 0.
    int update(int fd) {
        epoll_event event{};
        event.data.fd = fd;
        for (const auto& watch : watches[fd])
            event.events |= watch->writable ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
        const int instance = epoll.native_handle();
        if (event.events == 0) {
            ::epoll_ctl(instance, EPOLL_CTL_DEL, fd, &event); // fails when its owner closed it already
            return 0;
        }
        if (::epoll_ctl(instance, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
        if (errno != ENOENT) return errno;
        return ::epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
    }

    void wait_again() {
        if (!waiting && !watches.empty()) {
            waiting = true;
            epoll.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code&) {
                waiting = false;
                dispatch();
            });
        }
        if (!always_pending && !always.empty()) {
            always_pending = true;
            asio::post(context, [this] {
                always_pending = false;
                call({always.begin(), always.end()});
            });
        }
    }

    void dispatch() {
        epoll_event events[64];
        const int count = ::epoll_wait(epoll.native_handle(), events, 64, 0);
        std::vector<std::shared_ptr<Watch>> ready;
        for (int i = 0; i < count; ++i) {
            const auto found = watches.find(events[i].data.fd);
            if (found == watches.end()) continue;
            const std::uint32_t happened = events[i].events;
            for (const auto& watch : found->second) {
                const std::uint32_t wanted = watch->writable ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
                if ((happened & (wanted | EPOLLHUP | EPOLLERR)) != 0) ready.push_back(watch);
            }
        }
        call(ready);
    }

    // `ready` is no list of ours, because handlers change those. What is left out by a handler that throws is
    // still ready in the next round.
    void call(const std::vector<std::shared_ptr<Watch>>& ready) {
        const auto again = on_destruction([this] { wait_again(); });
        for (const auto& watch : ready) {
            if (watch->alive) watch->handler();
        }
    }

    Handle start_timer(std::chrono::milliseconds period, bool repeated, std::function<void()> handler) {
        const auto timer = std::make_shared<Timer>(context, period, repeated, std::move(handler));
        arm(timer);
        // The pending wait owns the timer, so that none is left when the loop is gone.
        return on_destruction([weak = std::weak_ptr<Timer>(timer)] {
            if (const auto pending = weak.lock()) {
                pending->alive = false;
                pending->timer.cancel();
            }
        });
    }
};

Loop::Loop() : implementation_(std::make_shared<Implementation>()) {}
Loop::~Loop() = default;

Loop::Handle Loop::on_readable(int fd, std::function<void()> handler) {
    return implementation_->watch(fd, false, std::move(handler));
}

Loop::Handle Loop::on_writable(int fd, std::function<void()> handler) {
    return implementation_->watch(fd, true, std::move(handler));
}

Loop::Handle Loop::after(std::chrono::milliseconds delay, std::function<void()> handler) {
    return implementation_->start_timer(delay, false, std::move(handler));
}

Loop::Handle Loop::every(std::chrono::milliseconds period, std::function<void()> handler) {
    return implementation_->start_timer(std::max(period, std::chrono::milliseconds(1)), true,
                                        std::move(handler));
}

Loop::Handle Loop::on_signals(std::initializer_list<int> numbers, std::function<void(int)> handler) {
    sigset_t wanted;
    sigset_t before;
    ::sigemptyset(&wanted);
    for (const int number : numbers) ::sigaddset(&wanted, number);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
    auto fd = std::make_shared<Fd>(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!*fd) throw system_error(errno, "cannot watch signals");
    // One signal a round: after each the handler may have ended the registration.
    auto readable = std::make_shared<Handle>(on_readable(fd->get(), [fd, handler = std::move(handler)] {
        signalfd_siginfo info{};
        if (::read(fd->get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            handler(static_cast<int>(info.ssi_signo));
        }
    }));
    sigset_t added; // those that were not blocked before
    ::sigemptyset(&added);
    for (const int number : numbers) {
        if (::sigismember(&before, number) == 0) ::sigaddset(&added, number);
    }
    return on_destruction([readable, added] {
        readable->reset();
        ::pthread_sigmask(SIG_UNBLOCK, &added, nullptr);
    });
}

void Loop::post(std::function<void()> handler) { asio::post(implementation_->context, std::move(handler)); }

void Loop::run() {
    implementation_->wait_again();
    const auto restart = on_destruction([this] {
        if (implementation_->context.stopped()) implementation_->context.restart(); // for the next run()
    });
    implementation_->context.run();
}

void Loop::stop() { implementation_->context.stop(); }

} // namespace scad::base
