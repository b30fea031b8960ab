#include "engine/resolver.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scad::engine {

namespace {

constexpr int most_threads = 16;

void ring(int fd) {
    std::uint64_t one = 1;
    // Fails only when the counter is full, and then it is readable already.
    [[maybe_unused]] auto written = ::write(fd, &one, sizeof one);
}

Resolver::Result resolve(std::uint64_t id, const std::string& name) {
    Resolver::Result result;
    result.id = id;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    int code = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
    if (code != 0) {
        result.error = code == EAI_SYSTEM ? base::errno_text(errno) : ::gai_strerror(code);
        return result;
    }
    for (auto* entry = found; entry != nullptr; entry = entry->ai_next) {
        std::array<char, INET6_ADDRSTRLEN> text{};
        const void* bytes = nullptr;
        if (entry->ai_family == AF_INET) bytes = &reinterpret_cast<sockaddr_in*>(entry->ai_addr)->sin_addr;
        if (entry->ai_family == AF_INET6) bytes = &reinterpret_cast<sockaddr_in6*>(entry->ai_addr)->sin6_addr;
        if (bytes == nullptr || ::inet_ntop(entry->ai_family, bytes, text.data(), text.size()) == nullptr)
            continue;
        std::string address = text.data();
        auto& all = result.addresses;
        if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(std::move(address));
    }
    ::freeaddrinfo(found);
    if (result.addresses.empty()) result.error = "no address";
    return result;
}

// A thread inherits the mask of its maker: signals are for the loop's thread.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &former_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &former_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t former_{};
};

} // namespace

struct Resolver::Shared {
    std::mutex mutex;
    std::vector<Result> results;
    base::Fd event;
};

Resolver::Resolver() : shared_(std::make_shared<Shared>()) {
    shared_->event = base::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!shared_->event) throw system_error(errno, "cannot make an event descriptor");
}

Resolver::~Resolver() = default;

int Resolver::fd() const { return shared_->event.get(); }

void Resolver::look_up(std::uint64_t id, const std::string& name) {
    waiting_.push_back({id, name});
    start_waiting();
}

void Resolver::start_waiting() {
    while (running_ < most_threads && !waiting_.empty()) {
        auto wanted = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        SignalsBlocked blocked;
        try {
            std::thread([shared = shared_, id = wanted.id, name = wanted.name] {
                auto result = resolve(id, name);
                {
                    std::lock_guard lock(shared->mutex);
                    shared->results.push_back(std::move(result));
                }
                ring(shared->event.get());
            }).detach();
        } catch (const std::system_error&) {
            std::lock_guard lock(shared_->mutex);
            shared_->results.push_back({wanted.id, {}, "no thread for a lookup"});
            ring(shared_->event.get());
        }
    }
}

std::vector<Resolver::Result> Resolver::take() {
    std::uint64_t count = 0;
    [[maybe_unused]] auto got = ::read(shared_->event.get(), &count, sizeof count);
    std::vector<Result> results;
    {
        std::lock_guard lock(shared_->mutex);
        results.swap(shared_->results);
    }
    running_ -= static_cast<int>(results.size());
    start_waiting();
    return results;
}

} // namespace scad::engine
