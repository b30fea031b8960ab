#pragma once

#include "base/fd.h"
#include "base/loop.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace scad::base {

struct RelayOptions {
    std::uint64_t limit = 0; // bytes; 0: none. Past it the relay ends with Ended::limit
    std::function<std::string(std::string_view)> filter = {}; // applied to each piece
};

// Copies one descriptor to another until end of file, on a loop, with at most 256 KiB in flight: a slow
// reader slows the writer. Owns both; closes `to` at the end. Both are used without waiting by recv/send on
// sockets, and by poll + small read/write elsewhere: the open file description's O_NONBLOCK is not changed
// (it may be shared with the user's shell).
class Relay {
  public:
    enum class Ended { end_of_file, reader_gone, limit, failed };
    Relay(Loop& loop, Fd from, Fd to, RelayOptions options,
          std::function<void(Ended, std::uint64_t bytes)> on_end);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

  private:
    struct Implementation;
    std::shared_ptr<Implementation> implementation_; // a handler that runs keeps it while its owner goes
};

} // namespace scad::base
