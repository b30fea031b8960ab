#pragma once
// The acts of inside_probe. Each tries one thing and says how it ended; which of them may succeed is for the
// test to say.

#include <cerrno>
#include <cstdint>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace probe {

enum class Result {
    open = 0,   // it worked
    closed = 1, // it was refused, or there was nothing
    absent = 3  // this kernel or this program cannot even try
};

using Words = std::vector<std::string>; // what follows the act's name

struct Act {
    const char* name;
    std::size_t words; // at least
    const char* usage;
    Result (*run)(const Words& words);
};

std::vector<Act> file_acts();
std::vector<Act> kernel_acts();
std::vector<Act> network_acts();
std::vector<Act> process_acts();
std::vector<Act> resource_acts();

// One line on stdout: what was seen.
void say(const std::string& text);

// `closed` with the name of errno as the line; ENOSYS is `closed` too, because the filter answers so.
Result refused();
inline Result outcome(bool worked) { return worked ? Result::open : refused(); }

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    return ::syscall(number, a, b, c, d, e, f);
}
inline long pointer(const void* address) {
    return static_cast<long>(reinterpret_cast<std::intptr_t>(address));
}

// The same through the door of 32-bit x86 programs, whose calls have other numbers: a filter that knows only
// the 64-bit ones is passed by it. -1 and errno as above; ENOEXEC where there is no such door. Pointers must
// come from `low`.
bool has_narrow_door();
long narrow_call(long number, long a = 0, long b = 0, long c = 0, long d = 0);
void* low(const void* data, std::size_t size); // a copy in the first 2 GiB
inline long low_text(const std::string& text) { return pointer(low(text.c_str(), text.size() + 1)); }

std::uint64_t number(const std::string& word); // decimal, 0x…, or 0… octal

} // namespace probe
