#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace scad::agent {

// What the dynamic loader is told by a program or library (elf(5), ld.so(8)).
struct Elf {
    std::string interpreter;          // PT_INTERP: empty for static programs and libraries
    std::vector<std::string> needed;  // DT_NEEDED
    std::vector<std::string> runpath; // DT_RUNPATH, as written ("$ORIGIN/../lib")
    std::vector<std::string> rpath;   // DT_RPATH; ignored by the loader when there is a runpath
};

// Reads the file's headers; executes nothing. Empty when it is no ELF file. Of one that is not 64-bit
// little-endian nothing is known but that it is one. Fatal when it cannot be read or its headers contradict
// each other.
std::optional<Elf> read_elf(const std::filesystem::path& path);

// A library that a program needs and that does not come with the system.
struct Library {
    std::string name;            // as it is asked for: "libuv.so.1"
    std::filesystem::path found; // where the loader finds it
    bool relative = false; // by a path from $ORIGIN: found again when both are copied to the same places
};

// The libraries of a program and of its libraries, that are found by their run paths outside /usr and /lib*;
// all others are the system's. `program` is a real path.
std::vector<Library> find_libraries(const std::filesystem::path& program);

// Below /usr, /lib, /lib32, /lib64, /bin or /sbin: what every sandbox on this host sees.
bool is_system_path(const std::filesystem::path& path);

} // namespace scad::agent
