// Acts that take all that they can get, or stay behind.

#include "acts.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>

namespace probe {

namespace {

constexpr std::size_t piece = std::size_t{4} << 20;

// Children until no more can be made; says how many, and waits with them.
Result fill(const Words& words) {
    const std::uint64_t most = number(words[0]);
    std::uint64_t count = 0;
    ::setpgid(0, 0); // to end them all again
    while (count < most) {
        pid_t child = ::fork();
        if (child < 0) break;
        if (child == 0)
            for (;;) ::pause();
        ++count;
    }
    const bool all = count == most;
    say("children: " + std::to_string(count));
    if (words.size() > 1)
        for (;;) ::pause();
    ::signal(SIGTERM, SIG_IGN);
    ::kill(0, SIGTERM);
    errno = EAGAIN;
    return outcome(all);
}

Result bomb(const Words&) {
    for (;;) ::fork();
}

// Whether a limit can be raised again.
Result raise_limit(const Words& words) {
    const bool processes = words[0] == "processes";
    rlimit limit{};
    const auto resource = processes ? RLIMIT_NPROC : RLIMIT_NOFILE;
    ::getrlimit(resource, &limit);
    say("limit: " + std::to_string(limit.rlim_max));
    limit.rlim_max += 1;
    limit.rlim_cur = limit.rlim_max;
    return outcome(::setrlimit(resource, &limit) == 0);
}

void touch(void* place, std::size_t size) { std::memset(place, 0x5a, size); }

bool take_private(std::size_t) {
    void* place = ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return false;
    touch(place, piece);
    return true;
}

bool write_piece(int fd) {
    static std::vector<char> data(piece, 'x');
    std::size_t done = 0;
    while (done < piece) {
        ssize_t n = ::write(fd, data.data() + done, piece - done);
        if (n <= 0) return false;
        done += static_cast<std::size_t>(n);
    }
    return true;
}

bool take_file(std::size_t) {
    static const int fd = ::open("/dev/shm/hog", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return write_piece(fd);
}
// Memory of no file system and of no mapping.
bool take_memory_file(std::size_t) {
    static const int fd = ::memfd_create("hog", 0);
    return write_piece(fd);
}
bool take_segment(std::size_t) {
    int id = ::shmget(IPC_PRIVATE, piece, IPC_CREAT | 0600);
    if (id < 0) return false;
    void* place = ::shmat(id, nullptr, 0);
    if (reinterpret_cast<std::intptr_t>(place) == -1) return false;
    touch(place, piece);
    return ::shmctl(id, IPC_RMID, nullptr) == 0; // it lasts as long as it is used
}
// One that nobody uses is there until somebody removes it; this one removes all, to leave none on the host.
Result leave_segment(const Words& words) {
    const bool remove = words[0] == "remove";
    int id = ::shmget(0x5cad, piece, remove ? 0600 : IPC_CREAT | 0600);
    if (id < 0) return refused();
    if (remove) return outcome(::shmctl(id, IPC_RMID, nullptr) == 0);
    void* place = ::shmat(id, nullptr, 0);
    if (reinterpret_cast<std::intptr_t>(place) == -1) return refused();
    touch(place, piece);
    ::shmdt(place);
    return outcome(::shmget(0x5cad, piece, 0600) >= 0);
}

// Takes memory of a kind, all at once, and keeps it.
Result hog(const Words& words) {
    const struct {
        const char* name;
        bool (*take)(std::size_t);
    } kinds[] = {
        {"private", take_private}, {"shm", take_file}, {"memfd", take_memory_file}, {"sysv", take_segment}};
    const std::size_t most = number(words[1]);
    for (const auto& kind : kinds) {
        if (words[0] != kind.name) continue;
        std::size_t taken = 0;
        while (taken < most && kind.take(taken)) taken += piece;
        const int error = errno;
        say("took " + std::to_string(taken));
        errno = error;
        if (taken < most) return refused();
        if (words.size() > 2)
            for (;;) ::pause();
        return Result::open;
    }
    return Result::absent;
}

void detach() {
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
}

// Leaves something behind that writes to a file again and again, and ends.
Result linger(const Words& words) {
    const std::string& kind = words[0];
    const pid_t parent = ::getppid();
    pid_t child = ::fork();
    if (child == 0) {
        if (kind != "child") detach();
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_IGN);
        ::prctl(PR_SET_DUMPABLE, kind == "hidden" ? 0 : 1);
        for (;;) {
            // Never the same number twice.
            if (kind == "runner" && ::fork() != 0) ::_exit(0);
            int fd = ::open(words[1].c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
            if (fd < 0 || ::write(fd, "x", 1) != 1) ::_exit(1);
            ::close(fd);
            ::usleep(kind == "runner" ? 200 : 10'000);
        }
    }
    ::usleep(100'000);
    if (kind == "kill-leader") ::kill(parent, SIGKILL);
    if (kind == "stop-leader") ::kill(parent, SIGSTOP);
    if (kind == "kill-all") ::kill(-1, SIGKILL);
    if (kind == "stop-leader") ::usleep(500'000);
    return Result::open;
}

// Directories in one another, the deepest first made; by steps, because no path is that long.
Result nest(const Words& words) {
    if (::chdir(words[0].c_str()) != 0) return refused();
    const std::uint64_t depth = number(words[1]);
    for (std::uint64_t i = 0; i < depth; ++i)
        if (::mkdir("d", 0755) != 0 || ::chdir("d") != 0) return refused();
    return outcome(::symlink("/", "up") == 0);
}

} // namespace

std::vector<Act> resource_acts() {
    return {{"fill", 1, "<processes> [stay]", fill},
            {"bomb", 0, "", bomb},
            {"raise", 1, "processes|files", raise_limit},
            {"hog", 2, "private|shm|memfd|sysv <bytes> [stay]", hog},
            {"segment", 1, "leave|remove", leave_segment},
            {"linger", 2, "child|daemon|hidden|runner|kill-leader|stop-leader|kill-all <file>", linger},
            {"nest", 2, "<directory> <depth>", nest}};
}

} // namespace probe
