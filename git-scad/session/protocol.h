#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

// What clients and the supervisor of a session say to each other over its socket: one JSON object a message
// (base/socket.h), the first one of each side with the protocol's version, so that a supervisor outlives an
// upgrade of git-scad. Unknown keys are passed over, unknown kinds are answered with `error`.
inline constexpr int protocol_version = 1;

struct Request {
    enum class Kind {
        start_job, // number, secrets: start jobs/<number>; answered `ok`, later messages `tick`, `ended`,
                   // `saved` when follow is set
        follow,    // number: as above for a job that runs already (an ended one: `ended` and `saved` at once)
        exec,      // argv, environment, directory + three descriptors: answered `ok`, later `ended` with
                   // wait_status. Ends when the client goes. With `terminal` and no descriptor: on a terminal
                   // of its own, whose master comes with `terminal` before `ok`
        service,   // argv like exec, but waits until no snapshot is pending
        signal,    // signal: to the program of this connection's exec
        cancel,    // number: ends a job (SIGTERM, then after two seconds SIGKILL to all it started)
        snapshot,  // takes one now; answered `saved`
        freeze,    // stops every program where it is; answered `ok` once all stand still, until `thaw` or the
                   // client goes
        thaw,      // answered `ok` when nothing has moved since `freeze` was answered
        settle,    // answered `ok` once no snapshot is pending or running
        stop, // ends all jobs at once, a snapshot bounded in time, then the sandbox; answered `ok` at once,
              // and when all is done by end of file
    };
    Kind kind = Kind::settle;
    std::uint64_t number = 0;
    bool follow = false;
    int signal = 0;
    std::vector<std::string> argv, environment;
    std::string directory;
    std::map<std::string, std::string> secrets;
    bool terminal = false; // exec: of this size
    std::uint64_t rows = 0, columns = 0;
};

struct Reply {
    enum class Kind { ok, error, tick, ended, saved, terminal };
    Kind kind = Kind::ok;
    int wait_status = 0;      // ended (exec)
    std::uint64_t number = 0; // ended, saved, tick (jobs)
    std::string message;      // error; ended: the job's state
};

std::string encode(const Request& request);
std::string encode(const Reply& reply);
std::optional<Request> decode_request(std::string_view body); // empty: malformed or another version
std::optional<Reply> decode_reply(std::string_view body);

// Why a supervisor could not start, on its way through the ready pipe and back (any other text becomes the
// message).
struct Failure {
    std::string message;
    std::string hint;
};
std::string failure_text(const Failure& failure);
Failure parse_failure(const std::string& text);

} // namespace scad::session
