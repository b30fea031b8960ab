#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

// What scad and process 1 of a sandbox (scad-init) tell each other over one inherited SOCK_SEQPACKET pair
// (unix(7)): each message is one of these plain structs, with descriptors beside it (SCM_RIGHTS). Both ends
// come from the same build and run on the same machine, so the structs are sent as they lie in memory;
// `version` guards against an upgrade in between.
namespace scad::engine::protocol {

inline constexpr std::uint32_t version = 2;

enum class RequestKind : std::uint32_t {
    start = 1,             // id; descriptors: payload (see JobHeader), the program's 0, 1, 2
    signal = 2,            // id, number: to the program and its process group
    end = 3,               // id: SIGKILL to all that the job started
    stop = 4,              // the end of the sandbox
    start_on_terminal = 5, // id, number: rows << 16 | columns; descriptor: payload. The program's 0, 1, 2 are
                           // a new pseudo-terminal, which controls it
    freeze = 6,            // stops all that jobs have started (SIGSTOP); answered `frozen`
    thaw = 7,              // lets go on what `freeze` has stopped
};

struct Request {
    std::uint32_t version = protocol::version;
    RequestKind kind = RequestKind::stop;
    std::uint64_t id = 0;
    std::int32_t number = 0;
    std::uint32_t reserved = 0;
};

enum class ReplyKind : std::uint32_t {
    ready = 1,      // the first message; limits as they were read back
    started = 2,    // id, pid
    failed = 3,     // id, text
    ended = 4,      // id, wait_status
    connection = 5, // one descriptor: accepted on the proxy port
    terminal = 6,   // id, one descriptor: the master of its pseudo-terminal; comes before `started`
    frozen = 7,     // all stand still, or text says why not (and then all go on)
};

struct Reply {
    std::uint32_t version = protocol::version;
    ReplyKind kind = ReplyKind::ready;
    std::uint64_t id = 0;
    std::int32_t pid = 0;
    std::int32_t wait_status = 0;
    std::uint64_t processes =
        0; // RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_FSIZE of jobs as they can be set; 0: not limited
    std::uint64_t open_files = 0;
    std::uint64_t file_size = 0;
    char text[192] = {}; // ends in a NUL
};

// The payload of both kinds of start is a sealed memory file (memfd_create(2), F_SEAL_WRITE): this header,
// then NUL-terminated strings: the directory, `arguments` of the program, `variables` of its environment. It
// is read by the program's own process only, so that no secret stays in process 1.
struct JobHeader {
    std::uint32_t version = protocol::version;
    std::uint32_t arguments = 0;
    std::uint32_t variables = 0;
    std::uint32_t reserved = 0;
    std::uint64_t size = 0; // of all, header included
};

inline constexpr std::size_t payload_limit = std::size_t{32} << 20; // bytes
inline constexpr std::uint32_t start_descriptors = 4;

// A payload cut into C strings, which point into the payload; `arguments` and `variables` end in a null
// pointer, as execve(2) wants them.
struct JobView {
    const char* directory = nullptr;
    std::vector<const char*> arguments;
    std::vector<const char*> variables;
};

// False when the payload is not whole, has another version or no program.
inline bool parse_job(std::string_view payload, JobView& job) {
    JobHeader header;
    if (payload.size() < sizeof header) return false;
    std::memcpy(&header, payload.data(), sizeof header);
    if (header.version != version || header.size != payload.size() || header.arguments == 0) return false;
    std::uint64_t wanted = std::uint64_t{1} + header.arguments + header.variables;
    if (wanted > payload.size()) return false; // each string has at least its NUL
    std::size_t at = sizeof header;
    auto next = [&]() -> const char* {
        std::size_t end = payload.find('\0', at);
        if (end == std::string_view::npos) return nullptr;
        const char* text = payload.data() + at;
        at = end + 1;
        return text;
    };
    job.arguments.clear();
    job.variables.clear();
    job.directory = next();
    if (job.directory == nullptr) return false;
    for (std::uint32_t i = 0; i < header.arguments; ++i) job.arguments.push_back(next());
    for (std::uint32_t i = 0; i < header.variables; ++i) job.variables.push_back(next());
    job.arguments.push_back(nullptr);
    job.variables.push_back(nullptr);
    if (at != payload.size()) return false;
    for (std::uint32_t i = 0; i < header.arguments; ++i)
        if (job.arguments[i] == nullptr) return false;
    for (std::uint32_t i = 0; i < header.variables; ++i)
        if (job.variables[i] == nullptr) return false;
    return true;
}

} // namespace scad::engine::protocol
