#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

// A file or a folder on its way from one side of a sandbox's wall to the other, as a stream of bytes. The
// same code runs on the host and in scad-init, so it stands on libc and libstdc++ alone. Each side takes the
// other for hostile:
// - names in the stream are those of single entries, and everything is opened and made relative to a
// directory
//   that the receiver made itself: nothing leads out of it, and no link is followed;
// - only folders, regular files and links that stay inside of what is copied are made, without set-id bits;
// - it is built under a temporary name, and renamed when it is whole.
namespace scad::transfer {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Totals {
    std::uint64_t files = 0; // and links
    std::uint64_t folders = 0;
    std::uint64_t bytes = 0;
    // What was left out.
    std::uint64_t special = 0; // sockets, FIFOs, devices
    std::uint64_t links = 0;   // that lead out of what is copied
    std::uint64_t git = 0;     // what would make a folder a git directory
    std::uint64_t names = 0;   // with control characters
    bool complete() const { return special + links + git + names == 0; }
};

// Called now and then; false: give up.
using Progress = std::function<bool(const Totals&)>;

// Writes what lies at `path` to `out`. The path's last part must not be a link; links below it are sent as
// what they are. Failure: it cannot be read, the reader is gone, or it was given up.
Totals send(const std::string& path, int out, const Progress& progress);

struct ReceiveOptions {
    std::string destination; // an existing folder: `name` in it; else the new name
    std::string name;        // what it was called
    std::uint64_t most_bytes = UINT64_MAX;
    // For what comes out of a session: git directories stay out, because git runs programs that their
    // configuration names, and names with control characters.
    bool guarded = false;
};

struct Received {
    Totals totals;
    std::string path; // where it is now
};

// Reads from `in` until it is whole, and gives it its name. A folder replaces nothing; a file replaces a
// file. What an earlier one that was killed left in the same folder is removed first. Failure: it could not
// be made, is over the limit, the stream is cut or malformed, or it was given up; nothing is left then.
Received receive(int in, const ReceiveOptions& options, const Progress& progress);

// The last part of a path that a person typed; empty when it has none ("/", "..").
std::string base_name(std::string path);

} // namespace scad::transfer
