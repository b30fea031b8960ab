#include "engine/init/renames.h"

#include "engine/init/move_tree.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <iterator>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <string>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // kernel 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace scad::init {

namespace {

constexpr std::uint32_t architecture =
#if defined(__x86_64__)
    AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
    AUDIT_ARCH_RISCV64;
#else
    0; // not known here: renames go on as they are
#endif
constexpr decltype(statfs::f_type) overlay_type = 0x794c7630; // OVERLAYFS_SUPER_MAGIC of magic.h
constexpr int leave_it = -1;                                  // to the kernel

// A descriptor that is closed.
class Handle {
  public:
    explicit Handle(int fd) : fd_(fd) {}
    ~Handle() {
        if (fd_ >= 0) ::close(fd_);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

// The filter that asks about the three calls of the native architecture, and lets all else pass to the one
// that the sandbox has.
int install_filter() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 3, 0),
#ifdef SYS_renameat
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 2, 0),
#else
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 2, 0),
#endif
#ifdef SYS_rename
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rename, 1, 0),
#else
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 1, 0),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    // With the second flag a signal does not cut a rename in two (before kernel 5.19: it may have to be asked
    // again).
    for (unsigned long more : {SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0UL}) {
        long fd =
            ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | more, &filter);
        if (fd >= 0) return static_cast<int>(fd);
    }
    return -1;
}

// A path in the memory of another process. Empty: it cannot be read, or is none.
std::string read_path(pid_t pid, std::uint64_t address) {
    std::string path;
    char piece[256];
    while (path.size() < PATH_MAX) {
        // Up to the next page at most: what lies behind it may not be there.
        std::size_t wanted = std::min<std::uint64_t>(sizeof piece, 4096 - address % 4096);
        iovec local{piece, wanted};
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address, of another process
        iovec remote{reinterpret_cast<void*>(address), wanted};
        ssize_t count = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
        if (count <= 0) return {};
        auto got = static_cast<std::size_t>(count);
        if (const void* end = std::memchr(piece, '\0', got)) {
            path.append(piece, static_cast<std::size_t>(static_cast<const char*>(end) - piece));
            return path;
        }
        path.append(piece, got);
        address += got;
    }
    return {};
}

// What a path of that process is relative to.
int open_start(pid_t pid, std::uint64_t directory, const std::string& path) {
    if (path.front() == '/') return ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    std::string place = "/proc/" + std::to_string(pid);
    auto fd = static_cast<int>(directory);
    place += fd == AT_FDCWD ? "/cwd" : "/fd/" + std::to_string(fd);
    return ::open(place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

struct Call {
    std::uint64_t from_directory = static_cast<std::uint64_t>(AT_FDCWD);
    std::uint64_t from = 0;
    std::uint64_t to_directory = static_cast<std::uint64_t>(AT_FDCWD);
    std::uint64_t to = 0;
    unsigned flags = 0;
};

Call call_of(const seccomp_data& data) {
#ifdef SYS_rename
    if (data.nr == SYS_rename)
        return {static_cast<std::uint64_t>(AT_FDCWD), data.args[0], static_cast<std::uint64_t>(AT_FDCWD),
                data.args[1], 0};
#endif
    Call call{data.args[0], data.args[1], data.args[2], data.args[3], 0};
    if (data.nr == SYS_renameat2) call.flags = static_cast<unsigned>(data.args[4]);
    return call;
}

bool still_waits(int listener, std::uint64_t id) {
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

// 0 or an errno for the caller, or leave_it.
int answer(int listener, const seccomp_notif& asked) {
    Call call = call_of(asked.data);
    auto pid = static_cast<pid_t>(asked.pid);
    std::string from = read_path(pid, call.from);
    std::string to = read_path(pid, call.to);
    if (from.empty() || to.empty()) return leave_it;
    Handle from_start(open_start(pid, call.from_directory, from));
    Handle to_start(open_start(pid, call.to_directory, to));
    struct stat status {};
    struct statfs system {};
    if (!from_start || !to_start ||
        ::fstatat(from_start.get(), from.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(status.st_mode))
        return leave_it;
    Handle source(::openat(from_start.get(), from.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!source || ::fstatfs(source.get(), &system) != 0 || system.f_type != overlay_type) return leave_it;
    // From here on it is done for the caller: it must be the one whose memory and directories were read.
    if (!still_waits(listener, asked.id)) return leave_it;
    return rename_mended(from_start.get(), from.c_str(), to_start.get(), to.c_str(), call.flags);
}

// Where the thread that answers is told its descriptor.
std::atomic<int> told_listener = -1;

[[noreturn]] void serve() {
    told_listener.wait(-1);
    int listener = told_listener;
    seccomp_notif_sizes sizes{};
    if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) sizes = {};
    // The kernel's own structures may be longer than those that this was built with.
    std::size_t size = std::max<std::size_t>(sizes.seccomp_notif, sizeof(seccomp_notif));
    std::size_t answer_size = std::max<std::size_t>(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp));
    auto asked_bytes = std::make_unique<std::uint64_t[]>(size / 8 + 1);
    auto told_bytes = std::make_unique<std::uint64_t[]>(answer_size / 8 + 1);
    auto* asked = reinterpret_cast<seccomp_notif*>(asked_bytes.get());
    auto* told = reinterpret_cast<seccomp_notif_resp*>(told_bytes.get());
    for (;;) {
        std::memset(asked, 0, size);
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) != 0) {
            if (errno == EINTR || errno == ENOENT) continue; // whoever asked is gone
            for (;;) ::pause();
        }
        int result = answer(listener, *asked);
        std::memset(told, 0, answer_size);
        told->id = asked->id;
        if (result == leave_it)
            told->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else
            told->error = -result;
        ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, told); // fails when whoever asked is gone
    }
}

} // namespace

int ask_about_renames() {
    if constexpr (architecture == 0) return -1;
    // The thread first: what is installed afterwards does not hold for it.
    try {
        std::thread(serve).detach();
    } catch (const std::exception&) { // no room for a thread: renames go on as they are
        return -1;
    }
    return install_filter();
}

void answer_renames(int descriptor) {
    if (descriptor < 0) return;
    told_listener = descriptor;
    told_listener.notify_one();
}

} // namespace scad::init
