// Tries one thing that a sandbox should refuse, as a program in it would. A static program, so that it runs
// over any root. Exit status: 0 it worked, 1 it was refused, 2 wrong usage, 3 it cannot be tried here.

#include "acts.h"

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace probe {

void say(const std::string& text) {
    std::string line = text + "\n";
    std::size_t done = 0;
    while (done < line.size()) {
        ssize_t n = ::write(STDOUT_FILENO, line.data() + done, line.size() - done);
        if (n <= 0) return;
        done += static_cast<std::size_t>(n);
    }
}

Result refused() {
    const char* name = ::strerrorname_np(errno);
    say(std::string("closed: ") + (name != nullptr ? name : "?"));
    return Result::closed;
}

std::uint64_t number(const std::string& word) { return std::strtoull(word.c_str(), nullptr, 0); }

#if defined(__x86_64__)
long narrow_call(long number, long a, long b, long c, long d) {
    long result = number;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(a), "c"(b), "d"(c), "S"(d)
                 : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) {
        errno = static_cast<int>(-result);
        return -1;
    }
    return result;
}

namespace {
sigjmp_buf no_door;
}

bool has_narrow_door() {
    struct sigaction action {};
    struct sigaction former {};
    action.sa_handler = [](int) { siglongjmp(no_door, 1); };
    ::sigaction(SIGSEGV, &action, &former);
    bool there = sigsetjmp(no_door, 1) == 0 && narrow_call(20) == ::getpid(); // 20: getpid
    ::sigaction(SIGSEGV, &former, nullptr);
    return there;
}

void* low(const void* data, std::size_t size) {
    void* place =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (place != MAP_FAILED) std::memcpy(place, data, size);
    return place;
}
#else
long narrow_call(long, long, long, long, long) {
    errno = ENOEXEC;
    return -1;
}
bool has_narrow_door() { return false; }
void* low(const void*, std::size_t) { return nullptr; }
#endif

// As an agent of that name: it takes its prompt and is done.
static int play_agent(const std::string& option) {
    if (option == "--version") {
        say("1.0.0 (Claude Code)");
        return 0;
    }
    char text[4096];
    while (::read(STDIN_FILENO, text, sizeof text) > 0) continue;
    const std::string session = R"("session_id":"c0ffee00-0000-4000-8000-000000000000"})";
    say(R"({"type":"system","subtype":"init",)" + session);
    say(R"({"type":"assistant","message":{"content":[{"type":"text","text":"done"}]},)" + session);
    say(R"({"type":"result","subtype":"success","is_error":false,"result":"done","num_turns":1,)" + session);
    return 0;
}

} // namespace probe

int main(int argc, char** argv) {
    using namespace probe;
    const std::string program = argc > 0 ? argv[0] : "";
    if (program.substr(program.rfind('/') + 1) == "claude") return play_agent(argc > 1 ? argv[1] : "");
    std::vector<Act> acts;
    for (const auto& some : {file_acts(), kernel_acts(), network_acts(), process_acts(), resource_acts()})
        acts.insert(acts.end(), some.begin(), some.end());
    const std::string name = argc > 1 ? argv[1] : "";
    const Words words(argv + (argc > 1 ? 2 : 1), argv + argc);
    for (const Act& act : acts)
        if (name == act.name && words.size() >= act.words) {
            const Result result = act.run(words);
            if (result == Result::open) say("open");
            if (result == Result::absent) say("cannot be tried here");
            return static_cast<int>(result);
        }
    std::fprintf(stderr, "usage: inside_probe <act> [<word>…]\n");
    for (const Act& act : acts) std::fprintf(stderr, "  %s %s\n", act.name, act.usage);
    return 2;
}
