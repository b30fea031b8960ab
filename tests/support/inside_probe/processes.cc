// Acts on other processes, and a process that is worth acting on.

#include "acts.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace probe {

namespace {

volatile char treasure[] = "the treasure of a victim";

pid_t pid_of(const std::string& word) { return static_cast<pid_t>(number(word)); }

std::string content(const std::string& path) {
    std::string text;
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[65536];
    for (ssize_t n = 0; fd >= 0 && (n = ::read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    if (fd >= 0) ::close(fd);
    return text;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    DIR* directory = ::opendir("/proc");
    if (directory == nullptr) return pids;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') pids.push_back(pid_of(entry->d_name));
    ::closedir(directory);
    std::sort(pids.begin(), pids.end());
    return pids;
}

// Whether some process has the text in its arguments or environment. The text comes in two halves, so that
// nobody who only asks has it.
Result see(const Words& words) {
    const std::string text = words[0] + words[1];
    for (const pid_t pid : all_processes())
        for (const char* part : {"cmdline", "environ"}) {
            if (content("/proc/" + std::to_string(pid) + "/" + part).find(text) == std::string::npos)
                continue;
            say("seen in " + std::string(part) + " of " + std::to_string(pid));
            return Result::open;
        }
    errno = ENOENT;
    return refused();
}

// How many processes there are besides process 1, what starts a job, this one and its forebears.
Result others(const Words&) {
    std::vector<pid_t> own = {1};
    for (pid_t pid = ::getpid(); pid > 1;) {
        own.push_back(pid);
        const std::string status = content("/proc/" + std::to_string(pid) + "/status");
        const std::size_t at = status.find("\nPPid:");
        pid = at == std::string::npos ? 0 : std::atoi(status.c_str() + at + 6);
    }
    std::string found;
    for (const pid_t pid : all_processes())
        if (std::find(own.begin(), own.end(), pid) == own.end()) found += " " + std::to_string(pid);
    errno = ENOENT;
    if (found.empty()) return refused();
    say("others:" + found);
    return Result::open;
}

Result victim(const Words& words) {
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); // for kernels that want it
    std::FILE* file = std::fopen(words[0].c_str(), "we");
    if (file == nullptr) return refused();
    std::fprintf(file, "%d %p\n", ::getpid(), static_cast<const void*>(const_cast<const char*>(treasure)));
    std::fclose(file);
    for (;;) ::pause();
}

Result by_vm_read(const Words& words) {
    char text[sizeof treasure] = {};
    iovec here{text, sizeof text};
    // The address is one of another process: a number here.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    iovec there{reinterpret_cast<void*>(number(words[1])), sizeof text};
    if (::process_vm_readv(pid_of(words[0]), &here, 1, &there, 1, 0) < 0) return refused();
    errno = ENODATA;
    return outcome(std::strstr(text, "treasure") != nullptr);
}
Result by_mem(const Words& words) {
    char text[sizeof treasure] = {};
    int fd = ::open(("/proc/" + words[0] + "/mem").c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return refused();
    return outcome(::pread(fd, text, sizeof text, static_cast<off_t>(number(words[1]))) > 0 &&
                   std::strstr(text, "treasure") != nullptr);
}
Result open_mem(const Words& words) {
    return outcome(::open(("/proc/" + words[0] + "/mem").c_str(), O_RDWR | O_CLOEXEC) >= 0);
}

Result trace(const Words& words) {
    const pid_t pid = pid_of(words[0]);
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) return Result::open;
    if (::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) != 0) return refused();
    ::waitpid(pid, nullptr, __WALL);
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    return Result::open;
}

// Any of its descriptors.
Result take_descriptor(const Words& words) {
    int pidfd = static_cast<int>(call(SYS_pidfd_open, pid_of(words[0]), 0));
    if (pidfd < 0) return refused();
    int error = EBADF;
    for (long fd = 0; fd < 256; ++fd) {
        if (call(SYS_pidfd_getfd, pidfd, fd, 0) >= 0) {
            say("took descriptor " + std::to_string(fd));
            return Result::open;
        }
        if (errno != EBADF) error = errno;
    }
    errno = error;
    return refused();
}

// A file, link or directory of /proc/<pid>.
Result proc_part(const Words& words) {
    const std::string path = "/proc/" + words[0] + "/" + words[1];
    char link[4096];
    if (::readlink(path.c_str(), link, sizeof link) > 0) return Result::open;
    if (errno != EINVAL) return refused();
    if (DIR* directory = ::opendir(path.c_str()); directory != nullptr) {
        std::size_t count = 0;
        while (::readdir(directory) != nullptr) ++count;
        errno = ENODATA;
        return outcome(count > 2);
    }
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused();
    char text[4096];
    ssize_t n = ::read(fd, text, sizeof text);
    if (n == 0) errno = ENODATA;
    return outcome(n > 0);
}

Result signal_one(const Words& words) {
    return outcome(::kill(pid_of(words[0]), static_cast<int>(number(words[1]))) == 0);
}
Result signal_pidfd(const Words& words) {
    long pidfd = call(SYS_pidfd_open, pid_of(words[0]), 0);
    return outcome(pidfd >= 0 &&
                   call(SYS_pidfd_send_signal, pidfd, static_cast<long>(number(words[1])), 0, 0) == 0);
}

// Every signal by every call that sends one. What comes of it is for others to see.
Result signal_storm(const Words& words) {
    const pid_t pid = pid_of(words[0]);
    long pidfd = call(SYS_pidfd_open, pid, 0);
    for (int round = 0; round < 20; ++round)
        for (int signal = 1; signal < NSIG; ++signal) {
            sigval value{};
            ::kill(pid, signal);
            call(SYS_tgkill, pid, pid, signal);
            call(SYS_tkill, pid, signal);
            ::sigqueue(pid, signal, value);
            if (pidfd >= 0) call(SYS_pidfd_send_signal, pidfd, signal, 0, 0);
        }
    return Result::open;
}

// Who started this process.
Result leader(const Words&) {
    pid_t top = ::getpid();
    for (pid_t pid = top; pid > 1;) {
        const std::string status = content("/proc/" + std::to_string(pid) + "/status");
        const std::size_t at = status.find("\nPPid:");
        if (at == std::string::npos) break;
        top = pid;
        pid = std::atoi(status.c_str() + at + 6);
    }
    say(std::to_string(top));
    return Result::open;
}

Result own_descriptors(const Words&) {
    std::string found;
    for (int fd = 3; fd < 4096; ++fd)
        if (::fcntl(fd, F_GETFD) >= 0) found += " " + std::to_string(fd);
    errno = EBADF;
    if (found.empty()) return refused();
    say("descriptors:" + found);
    return Result::open;
}

} // namespace

std::vector<Act> process_acts() {
    return {{"see", 2, "<half> <half>", see},
            {"others", 0, "", others},
            {"victim", 1, "<file for its number and an address>", victim},
            {"vm-read", 2, "<process> <address>", by_vm_read},
            {"mem", 2, "<process> <address>", by_mem},
            {"open-mem", 1, "<process>", open_mem},
            {"trace", 1, "<process>", trace},
            {"take-descriptor", 1, "<process>", take_descriptor},
            {"proc", 2, "<process> <part>", proc_part},
            {"kill", 2, "<process> <signal>", signal_one},
            {"kill-pidfd", 2, "<process> <signal>", signal_pidfd},
            {"storm", 1, "<process>", signal_storm},
            {"leader", 0, "", leader},
            {"own-descriptors", 0, "", own_descriptors}};
}

} // namespace probe
