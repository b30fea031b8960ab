// Acts on parts of the kernel that no job needs.

#include "acts.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace probe {

namespace {

constexpr long open_tree_attr_number = 467;
constexpr unsigned long new_time = 0x80; // CLONE_NEWTIME

unsigned long space_flag(const std::string& name) {
    const struct {
        const char* name;
        unsigned long flag;
    } spaces[] = {{"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID},
                  {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS},
                  {"cgroup", CLONE_NEWCGROUP}, {"time", new_time}};
    for (const auto& space : spaces)
        if (name == space.name) return space.flag;
    return 0;
}

// What a fork did: its child says nothing and is reaped.
Result forked(long pid) {
    if (pid == 0) ::_exit(0);
    if (pid < 0) return refused();
    ::waitpid(static_cast<pid_t>(pid), nullptr, __WALL);
    return Result::open;
}

Result by_unshare(const Words& words) {
    return outcome(call(SYS_unshare, static_cast<long>(space_flag(words[0]))) == 0);
}
Result by_clone(const Words& words) {
    return forked(call(SYS_clone, static_cast<long>(space_flag(words[0]) | SIGCHLD)));
}
Result by_clone3(const Words& words) {
    clone_args arguments{};
    arguments.flags = space_flag(words[0]);
    arguments.exit_signal = SIGCHLD;
    return forked(call(SYS_clone3, pointer(&arguments), sizeof arguments));
}
Result by_setns(const Words& words) {
    int fd = ::open(("/proc/self/ns/" + words[0]).c_str(), O_RDONLY | O_CLOEXEC);
    return outcome(fd >= 0 && call(SYS_setns, fd, 0) == 0);
}
Result by_narrow_unshare(const Words& words) {
    if (!has_narrow_door()) return Result::absent;
    return outcome(narrow_call(310, static_cast<long>(space_flag(words[0]))) == 0);
}
Result by_narrow_clone(const Words& words) {
    if (!has_narrow_door()) return Result::absent;
    return forked(narrow_call(120, static_cast<long>(space_flag(words[0]) | SIGCHLD)));
}

Result mount_tmpfs(const Words& words) {
    return outcome(::mount("none", words[0].c_str(), "tmpfs", 0, nullptr) == 0);
}
Result mount_bind(const Words& words) {
    return outcome(::mount(words[0].c_str(), words[1].c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0);
}
Result remount(const Words& words) {
    return outcome(::mount(nullptr, words[0].c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0);
}
Result unmount(const Words& words) { return outcome(::umount2(words[0].c_str(), MNT_DETACH) == 0); }
Result new_mount(const Words&) { return outcome(call(SYS_fsopen, pointer("tmpfs"), 0) >= 0); }
Result pick_mount(const Words& words) {
    return outcome(call(SYS_fspick, AT_FDCWD, pointer(words[0].c_str()), 0) >= 0);
}
Result tree(const Words& words) {
    return outcome(call(SYS_open_tree, AT_FDCWD, pointer(words[0].c_str()), 0) >= 0);
}
Result tree_with_attributes(const Words& words) {
    return outcome(call(open_tree_attr_number, AT_FDCWD, pointer(words[0].c_str()), 0, 0, 0) >= 0);
}
Result change_root(const Words& words) { return outcome(::chroot(words[0].c_str()) == 0); }
Result pivot(const Words& words) {
    return outcome(call(SYS_pivot_root, pointer(words[0].c_str()), pointer(words[0].c_str())) == 0);
}
Result by_handle(const Words& words) {
    alignas(file_handle) unsigned char space[sizeof(file_handle) + 128] = {};
    auto* handle = reinterpret_cast<file_handle*>(space);
    handle->handle_bytes = 128;
    int mount_id = 0;
    int at = ::open(words[0].c_str(), O_RDONLY | O_CLOEXEC);
    if (::name_to_handle_at(AT_FDCWD, words[0].c_str(), handle, &mount_id, 0) != 0) return refused();
    return outcome(::open_by_handle_at(at, handle, O_RDONLY) >= 0);
}

Result ring(const Words&) {
    io_uring_params parameters{};
    return outcome(call(SYS_io_uring_setup, 4, pointer(&parameters)) >= 0);
}
Result ring_narrow(const Words&) {
    if (!has_narrow_door()) return Result::absent;
    io_uring_params parameters{};
    return outcome(narrow_call(425, 4, pointer(low(&parameters, sizeof parameters))) >= 0);
}
Result faults(const Words&) {
    return outcome(call(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */ | O_CLOEXEC) >= 0);
}
Result counters(const Words&) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_TASK_CLOCK;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    return outcome(call(SYS_perf_event_open, pointer(&attributes), 0, -1, -1, 0) >= 0);
}
Result kernel_program(const Words&) {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return outcome(call(SYS_bpf, BPF_MAP_CREATE, pointer(&attributes), sizeof attributes) >= 0);
}

// Those that the kernel refuses to everybody but the machine's root, told with arguments that do no harm.
Result machine(const Words& words) {
    long result = -1;
    const std::string& name = words[0];
    if (name == "kexec_load")
        result = call(SYS_kexec_load, 0, 0, 0, 0);
    else if (name == "kexec_file_load")
        result = call(SYS_kexec_file_load, -1, -1, 0, 0, 0);
    else if (name == "init_module")
        result = call(SYS_init_module, 0, 0, pointer(""));
    else if (name == "finit_module")
        result = call(SYS_finit_module, -1, pointer(""), 0);
    else if (name == "delete_module")
        result = call(SYS_delete_module, pointer("scad_no_such"), O_NONBLOCK);
    else if (name == "syslog") {
        static char text[4096];
        result = call(SYS_syslog, 3, pointer(text), sizeof text);
    } else if (name == "acct")
        result = call(SYS_acct, 0);
    else if (name == "swapoff")
        result = call(SYS_swapoff, pointer("/scad-no-such"));
    else if (name == "quotactl")
        result = call(SYS_quotactl, 0x800001L << 8, 0, 0, 0); // Q_SYNC of all
    else
        return Result::absent;
    return outcome(result >= 0);
}

Result add_key(const Words& words) {
    return outcome(call(SYS_add_key, pointer("user"), pointer(words[0].c_str()), pointer(words[1].c_str()),
                        static_cast<long>(words[1].size()), KEY_SPEC_PROCESS_KEYRING) >= 0);
}
Result find_key(const Words& words) {
    // Of the caller's login, of the user, and of all logins of the user.
    const long rings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING};
    for (const long keyring : rings) {
        char text[256] = {};
        long key = call(SYS_keyctl, KEYCTL_SEARCH, keyring, pointer("user"), pointer(words[0].c_str()), 0);
        if (key < 0) continue;
        long size = call(SYS_keyctl, KEYCTL_READ, key, pointer(text), sizeof text - 1);
        if (size >= 0) say("key: " + std::string(text));
        return Result::open;
    }
    return refused();
}
Result request_key(const Words& words) {
    return outcome(
        call(SYS_request_key, pointer("user"), pointer(words[0].c_str()), 0, KEY_SPEC_PROCESS_KEYRING) >= 0);
}
// Runs a program with a session keyring of its own that holds the key, as after a login.
Result with_key(const Words& words) {
    if (call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, pointer("scad-test")) < 0) return Result::absent;
    if (call(SYS_add_key, pointer("user"), pointer(words[0].c_str()), pointer(words[1].c_str()),
             static_cast<long>(words[1].size()), KEY_SPEC_SESSION_KEYRING) < 0)
        return Result::absent;
    std::vector<char*> arguments;
    for (std::size_t i = 2; i < words.size(); ++i) arguments.push_back(const_cast<char*>(words[i].c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    return refused();
}

// Types a line into a terminal of its own: if that works, it works on any that it can open. The second word
// sets bits that the kernel does not look at.
Result type_ahead(const Words& words) {
    const unsigned long request = 0x5412UL | (words.size() > 1 ? number(words[1]) : 0);
    int master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int unlock = 0;
    if (master < 0 || ::ioctl(master, TIOCSPTLCK, &unlock) != 0) return refused();
    int terminal = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    if (terminal < 0) return refused();
    pid_t child = ::fork();
    if (child == 0) {
        ::setsid();
        if (::ioctl(terminal, TIOCSCTTY, 0) != 0) ::_exit(errno);
        const char letter = 'x';
        if (words[0] == "narrow")
            ::_exit(narrow_call(54, terminal, static_cast<long>(request & 0xffffffff),
                                pointer(low(&letter, 1))) == 0
                        ? 0
                        : errno);
        ::_exit(call(SYS_ioctl, terminal, static_cast<long>(request), pointer(&letter)) == 0 ? 0 : errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status)) return Result::absent;
    errno = WEXITSTATUS(status);
    return outcome(errno == 0);
}

// Whether a terminal of whoever started it can be had.
Result own_terminal(const Words&) { return outcome(::open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0); }

// Any protocol of the family, by socket(2).
long make_socket(long family) {
    for (const long kind : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET}) {
        long fd = call(SYS_socket, family, kind, family == AF_NETLINK ? 15 /* KOBJECT_UEVENT */ : 0);
        if (fd >= 0) return fd;
        if (errno == EPERM) return 0; // the family is there, only this user lacks a right
    }
    return -1;
}
Result family(const Words& words) { return outcome(make_socket(static_cast<long>(number(words[0]))) >= 0); }
Result pair_of(const Words& words) {
    int pair[2] = {-1, -1};
    return outcome(call(SYS_socketpair, static_cast<long>(number(words[0])), SOCK_STREAM, 0, pointer(pair)) ==
                   0);
}
Result narrow_family(const Words& words) {
    if (!has_narrow_door()) return Result::absent;
    return outcome(narrow_call(359, static_cast<long>(number(words[0])), SOCK_RAW, 15) >= 0);
}
Result narrow_socketcall(const Words& words) {
    if (!has_narrow_door()) return Result::absent;
    const std::uint32_t arguments[3] = {static_cast<std::uint32_t>(number(words[0])), SOCK_RAW, 15};
    return outcome(narrow_call(102, 1, pointer(low(arguments, sizeof arguments))) >= 0);
}

// The third door: calls of x32 programs, the 64-bit ones with a bit set.
Result x32(const Words&) { return outcome(call(SYS_getpid | 0x40000000) > 0); }

} // namespace

std::vector<Act> kernel_acts() {
    return {{"unshare", 1, "<name space>", by_unshare},
            {"clone", 1, "<name space>", by_clone},
            {"clone3", 1, "<name space>", by_clone3},
            {"setns", 1, "<name space>", by_setns},
            {"narrow-unshare", 1, "<name space>", by_narrow_unshare},
            {"narrow-clone", 1, "<name space>", by_narrow_clone},
            {"mount", 1, "<directory>", mount_tmpfs},
            {"bind", 2, "<from> <to>", mount_bind},
            {"remount", 1, "<mount>", remount},
            {"umount", 1, "<mount>", unmount},
            {"fsopen", 0, "", new_mount},
            {"fspick", 1, "<mount>", pick_mount},
            {"open_tree", 1, "<directory>", tree},
            {"open_tree_attr", 1, "<directory>", tree_with_attributes},
            {"chroot", 1, "<directory>", change_root},
            {"pivot_root", 1, "<directory>", pivot},
            {"open_by_handle_at", 1, "<file>", by_handle},
            {"io_uring", 0, "", ring},
            {"narrow-io_uring", 0, "", ring_narrow},
            {"userfaultfd", 0, "", faults},
            {"perf_event_open", 0, "", counters},
            {"bpf", 0, "", kernel_program},
            {"machine", 1, "<call>", machine},
            {"add-key", 2, "<name> <text>", add_key},
            {"find-key", 1, "<name>", find_key},
            {"request-key", 1, "<name>", request_key},
            {"with-key", 3, "<name> <text> <program>…", with_key},
            {"type-ahead", 1, "wide|narrow [<bits>]", type_ahead},
            {"own-terminal", 0, "", own_terminal},
            {"socket", 1, "<family>", family},
            {"socketpair", 1, "<family>", pair_of},
            {"narrow-socket", 1, "<family>", narrow_family},
            {"narrow-socketcall", 1, "<family>", narrow_socketcall},
            {"x32", 0, "", x32}};
}

} // namespace probe
