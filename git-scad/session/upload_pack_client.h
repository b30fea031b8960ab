#pragma once

#include "session/git_service.h"
#include "session/packet_line.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace scad::session {

// Reads a foreign stream to its end, on a thread of its own so that its writer never waits, and keeps the
// beginning.
class ForeignWords {
  public:
    explicit ForeignWords(base::Fd from);
    ~ForeignWords(); // stops reading
    ForeignWords(const ForeignWords&) = delete;
    ForeignWords& operator=(const ForeignWords&) = delete;

    // What was said, once the writer has ended (or after `limit`): the first line that names an error, else
    // the last one, safe to print. Empty: nothing.
    std::string reason(std::chrono::milliseconds limit);

  private:
    void read();
    base::Fd from_;
    base::Pipe stop_;  // closed: stop
    base::Pipe ended_; // closed by the thread
    std::string text_; // the thread's until ended_ is closed
    std::thread thread_;
};

// The line of git's words that tells what went wrong, safe to print; empty when there is none.
std::string telling_line(std::string_view words);

// Bounds of one conversation.
struct ConversationLimits {
    std::chrono::seconds answer{30};             // until it says what it is and has
    std::chrono::seconds silence{60};            // nothing comes
    std::chrono::steady_clock::time_point end;   // of all
    std::size_t listing = std::size_t{8} << 20;  // bytes of a list of refs
    std::uint64_t pack = std::uint64_t{4} << 30; // bytes
    std::size_t words = std::size_t{1} << 20;    // bytes of all that is neither
};

struct PackRequest {
    std::vector<std::string> wants;   // object ids
    std::vector<std::string> haves;   // what it need not send, where it knows it
    std::vector<std::string> shallow; // commits whose parents neither side has
};

// The client's side of version 2 of git's protocol (gitprotocol-v2(5)) with a git-upload-pack that is as
// hostile as the session that it runs in. Every error is fatal, says why, and is safe to print.
class UploadPackClient {
  public:
    // Reads what the server can. `format`: the object format that it must have ("sha1", "sha256").
    UploadPackClient(OpenService service, std::string format, const ConversationLimits& limits);

    // Its refs below these prefixes, as `git ls-remote --refs` would print them.
    std::string list(const std::vector<std::string>& prefixes);
    // A pack with what is wanted, in pieces.
    void fetch(const PackRequest& request, const std::function<void(std::string_view)>& take);
    // Whether it was given up because time had run out.
    bool out_of_time() const { return out_of_time_; }

  private:
    void send(std::string_view bytes);
    Packet receive();
    std::string command(std::string_view name) const;
    [[noreturn]] void give_up(const std::string& why);
    [[noreturn]] void time_is_up();
    [[noreturn]] void ended(const std::string& where); // by itself: its own words say more

    OpenService service_;
    std::string format_;
    ConversationLimits limits_;
    ForeignWords words_;
    PacketReader reader_;
    bool names_format_ = false; // the server understands object-format
    std::chrono::seconds patience_;
    bool out_of_time_ = false;
    std::size_t other_bytes_ = 0;
};

} // namespace scad::session
