#pragma once

#include "base/fd.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace scad::engine {

// Looks names up with getaddrinfo(3), which has no form that does not wait: each lookup is done by a
// short-lived thread, at most 16 at once, and its result is fetched when fd() is readable. The destructor
// waits for nobody: a lookup that still runs finds its result unwanted.
class Resolver {
  public:
    Resolver();
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    struct Result {
        std::uint64_t id = 0;
        std::vector<std::string>
            addresses;     // as inet_ntop(3) writes them, in the order to be tried, each once
        std::string error; // when there is none: "Name or service not known"
    };

    // `id` comes back with the result.
    void look_up(std::uint64_t id, const std::string& name);
    int fd() const; // readable when take() has something
    std::vector<Result> take();

  private:
    struct Shared;
    void start_waiting();
    std::shared_ptr<Shared> shared_;
    struct Wanted {
        std::uint64_t id;
        std::string name;
    };
    std::deque<Wanted> waiting_;
    int running_ = 0;
};

} // namespace scad::engine
