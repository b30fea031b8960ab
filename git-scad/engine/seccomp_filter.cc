#include "engine/seccomp_filter.h"

#include "base/error.h"

#include <bit>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <initializer_list>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::engine {

namespace {

using Kind = SyscallTest::Kind;

SyscallTest bits(unsigned argument, std::uint64_t value) {
    return {argument, Kind::masked_equal, value, value};
}

// The newest calls, by number: libseccomp may be older than the kernel. From 424 on a call has the same
// number everywhere.
constexpr int quotactl_fd_number = 443;
constexpr int fchmodat2_number = 452;
constexpr int open_tree_attr_number = 467;

// Calls that lead to large or rarely used parts of the kernel, or act on more than the sandbox.
constexpr const char* refused[] = {
    // keys of the caller
    "keyctl", "add_key", "request_key",
    // programs and observers in the kernel
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    // mounts and name spaces
    "mount", "umount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "setns", "unshare", "chroot", "open_by_handle_at",
    // the machine
    "kexec_load", "kexec_file_load", "create_module", "init_module", "finit_module", "delete_module",
    "syslog", "acct", "swapon", "swapoff", "quotactl", "reboot", "nfsservctl", "uselib", "vm86", "vm86old"};

void add_mode_rules(std::vector<SyscallRule>& rules) {
    // Files that run with their owner's rights: made inside they could be run by others outside, where the
    // file system is not mounted nosuid.
    constexpr std::uint64_t set_ids[] = {S_ISUID, S_ISGID};
    struct Call {
        const char* name;
        std::optional<int> number;
        unsigned mode;
    };
    const Call calls[] = {
        {"chmod", {}, 1}, {"fchmod", {}, 1},  {"fchmodat", {}, 2}, {"fchmodat2", fchmodat2_number, 2},
        {"mknod", {}, 1}, {"mknodat", {}, 2}, {"creat", {}, 1}};
    for (const Call& call : calls)
        for (std::uint64_t set_id : set_ids)
            rules.push_back(
                {SyscallAnswer::not_permitted, call.name, call.number, {bits(call.mode, set_id)}});
    // Without these flags the mode is not looked at, and holds anything.
    constexpr std::uint64_t tmpfile_flag = O_TMPFILE & ~O_DIRECTORY;
    for (std::uint64_t making : {std::uint64_t{O_CREAT}, tmpfile_flag})
        for (std::uint64_t set_id : set_ids) {
            rules.push_back({SyscallAnswer::not_permitted, "open", {}, {bits(1, making), bits(2, set_id)}});
            rules.push_back({SyscallAnswer::not_permitted, "openat", {}, {bits(2, making), bits(3, set_id)}});
        }
    // Its mode lies in memory, where a filter cannot look: callers fall back to openat.
    rules.push_back({SyscallAnswer::not_there, "openat2", {}, {}});
}

void add_clone_rules(std::vector<SyscallRule>& rules) {
    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2)).
    for (std::uint64_t flag :
         {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U, 0x10000000U, 0x20000000U, 0x40000000U})
        rules.push_back({SyscallAnswer::not_permitted, "clone", {}, {bits(0, flag)}});
    rules.push_back(
        {SyscallAnswer::not_there, "clone3", {}, {}}); // its flags lie in memory; libc falls back to clone
}

void add_terminal_rules(std::vector<SyscallRule>& rules) {
    // TIOCSTI, TIOCLINUX: input for whoever reads the terminal next. The kernel takes 32 bits of the request.
    for (std::uint64_t request : {0x5412U, 0x541CU})
        rules.push_back(
            {SyscallAnswer::not_permitted, "ioctl", {}, {{1, Kind::masked_equal, 0xffffffff, request}}});
}

void add_socket_rules(std::vector<SyscallRule>& rules) {
    // Only UNIX (1), INET (2), INET6 (10) and NETLINK (16). VSOCK (40) above all: it knows no network name
    // space and reaches the hypervisor. Values with high bits set are greater than 16.
    auto refuse = [&](std::vector<SyscallTest> tests) {
        rules.push_back({SyscallAnswer::no_such_family, "socket", {}, std::move(tests)});
    };
    for (std::uint64_t family : {0U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 11U, 12U, 13U, 14U, 15U})
        refuse({{0, Kind::equal, 0, family}});
    refuse({{0, Kind::greater, 0, 16}});
    refuse({{0, Kind::equal, 0, 16}, {2, Kind::different, 0, 0}}); // NETLINK_ROUTE alone
    // Pairs are made of UNIX sockets. The kernel makes the two sockets, and loads a module for them, before
    // it finds out that a family has no pairs; TIPC has.
    rules.push_back({SyscallAnswer::no_such_family, "socketpair", {}, {{0, Kind::different, 0, 1}}});
    // 32-bit programs may ask through socketcall(2), with the family in memory (call 1 is socket, 8
    // socketpair).
    for (std::uint64_t call : {1U, 8U})
        rules.push_back({SyscallAnswer::no_such_family,
                         "socketcall",
                         {},
                         {{0, Kind::masked_equal, 0xffffffff, call}},
                         SyscallRule::Where::x86_only});
}

std::uint32_t error_of(SyscallAnswer answer) {
    switch (answer) {
        case SyscallAnswer::not_permitted:
            return EPERM;
        case SyscallAnswer::not_there:
            return ENOSYS;
        case SyscallAnswer::no_such_family:
            return EAFNOSUPPORT;
    }
    return EPERM;
}

scmp_arg_cmp compare(const SyscallTest& test) {
    scmp_arg_cmp result{};
    result.arg = test.argument;
    result.datum_a = test.value;
    switch (test.kind) {
        case Kind::masked_equal:
            result.op = SCMP_CMP_MASKED_EQ;
            result.datum_a = test.mask;
            result.datum_b = test.value;
            break;
        case Kind::greater:
            result.op = SCMP_CMP_GT;
            break;
        case Kind::equal:
            result.op = SCMP_CMP_EQ;
            break;
        case Kind::different:
            result.op = SCMP_CMP_NE;
            break;
    }
    return result;
}

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

// A filter for one architecture alone, because some rules are for 32-bit programs only; they are merged then.
Filter filter_for(std::uint32_t architecture, bool is_x86, const std::vector<SyscallRule>& rules) {
    Filter filter(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
    if (!filter) throw fatal("cannot make a system call filter");
    auto check = [](int result, const std::string& what) {
        if (result < 0) throw system_error(-result, "cannot make the system call filter ({})", what);
    };
    if (architecture != ::seccomp_arch_native()) {
        check(::seccomp_arch_add(filter.get(), architecture), "architecture");
        check(::seccomp_arch_remove(filter.get(), SCMP_ARCH_NATIVE), "architecture");
    }
    check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)),
          "bad architecture");
    for (const SyscallRule& rule : rules) {
        if (rule.number || (rule.where == SyscallRule::Where::x86_only && !is_x86)) continue;
        // The native number, or a negative one that stands for a call which only other architectures have;
        // translated by name where it is not the native one.
        int number = ::seccomp_syscall_resolve_name(rule.name.c_str());
        if (number == __NR_SCMP_ERROR)
            throw fatal("libseccomp does not know the system call '{}'", rule.name);
        std::vector<scmp_arg_cmp> tests;
        for (const SyscallTest& test : rule.tests) tests.push_back(compare(test));
        int result = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(error_of(rule.answer)), number,
                                              static_cast<unsigned>(tests.size()), tests.data());
        check(result, rule.name);
    }
    return filter;
}

// libseccomp refuses a number that it has no name for. These calls have one number on all architectures, so
// that their rules go in front of its program, which has only relative jumps. Their tests are on the lower
// half of an argument.
std::vector<sock_filter> number_rules(const std::vector<SyscallRule>& rules) {
    constexpr auto load = static_cast<std::uint16_t>(BPF_LD | BPF_W | BPF_ABS);
    constexpr auto is = static_cast<std::uint16_t>(BPF_JMP | BPF_JEQ | BPF_K);
    constexpr auto mask = static_cast<std::uint16_t>(BPF_ALU | BPF_AND | BPF_K);
    constexpr auto answer = static_cast<std::uint16_t>(BPF_RET | BPF_K);
    constexpr std::size_t lower_half = std::endian::native == std::endian::little ? 0 : 4;
    std::vector<sock_filter> program;
    for (const SyscallRule& rule : rules) {
        if (!rule.number) continue;
        auto skip = static_cast<std::uint8_t>(3 * rule.tests.size() +
                                              1); // to the next rule, from the first comparison
        program.push_back({load, 0, 0, offsetof(seccomp_data, nr)});
        program.push_back({is, 0, skip, static_cast<std::uint32_t>(*rule.number)});
        for (const SyscallTest& test : rule.tests) {
            if (test.kind != Kind::masked_equal) throw fatal("the filter cannot test '{}' so", rule.name);
            skip = static_cast<std::uint8_t>(skip - 3);
            auto offset = offsetof(seccomp_data, args) + test.argument * sizeof(std::uint64_t) + lower_half;
            program.push_back({load, 0, 0, static_cast<std::uint32_t>(offset)});
            program.push_back({mask, 0, 0, static_cast<std::uint32_t>(test.mask)});
            program.push_back({is, 0, skip, static_cast<std::uint32_t>(test.value)});
        }
        program.push_back({answer, 0, 0, SECCOMP_RET_ERRNO | error_of(rule.answer)});
    }
    return program;
}

std::string hex(std::uint64_t value) {
    return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

} // namespace

std::vector<SyscallRule> sandbox_rules() {
    std::vector<SyscallRule> rules;
    for (const char* name : refused) rules.push_back({SyscallAnswer::not_permitted, name, {}, {}});
    rules.push_back({SyscallAnswer::not_permitted, "quotactl_fd", quotactl_fd_number, {}});
    rules.push_back({SyscallAnswer::not_permitted, "open_tree_attr", open_tree_attr_number, {}});
    add_clone_rules(rules);
    add_mode_rules(rules);
    add_terminal_rules(rules);
    add_socket_rules(rules);
    return rules;
}

std::string rules_text(const std::vector<SyscallRule>& rules) {
    std::string text;
    for (const SyscallRule& rule : rules) {
        const char* answer = rule.answer == SyscallAnswer::not_permitted ? "EPERM"
                             : rule.answer == SyscallAnswer::not_there   ? "ENOSYS"
                                                                         : "EAFNOSUPPORT";
        text += fmt::format("{} {}", answer, rule.name);
        if (rule.number) text += fmt::format(" ({})", *rule.number);
        if (rule.where == SyscallRule::Where::x86_only) text += " on 32-bit x86";
        for (std::size_t i = 0; i < rule.tests.size(); ++i) {
            const SyscallTest& test = rule.tests[i];
            text += fmt::format(" {} arg{}", i == 0 ? "if" : "and", test.argument);
            switch (test.kind) {
                case Kind::masked_equal:
                    text += fmt::format(" & {} ==", hex(test.mask));
                    break;
                case Kind::greater:
                    text += " >";
                    break;
                case Kind::equal:
                    text += " ==";
                    break;
                case Kind::different:
                    text += " !=";
                    break;
            }
            text += " " + hex(test.value);
        }
        text += '\n';
    }
    return text;
}

base::Fd compile_filter(const std::vector<SyscallRule>& rules) {
    std::uint32_t native = ::seccomp_arch_native();
    Filter filter = filter_for(native, false, rules);
    std::uint32_t narrow = native == SCMP_ARCH_X86_64    ? SCMP_ARCH_X86
                           : native == SCMP_ARCH_AARCH64 ? SCMP_ARCH_ARM
                                                         : 0;
    if (narrow != 0) {
        Filter other = filter_for(narrow, narrow == SCMP_ARCH_X86, rules);
        if (int result = ::seccomp_merge(filter.get(), other.get()); result < 0)
            throw system_error(-result, "cannot merge the system call filters");
        (void)other.release(); // merged: it belongs to the first one now
    }
    base::Fd file(::memfd_create("seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) throw system_error(errno, "cannot make a memory file");
    auto first = number_rules(rules);
    if (!base::write_all(file.get(),
                         {reinterpret_cast<const char*>(first.data()), first.size() * sizeof(sock_filter)}))
        throw fatal("cannot write the system call filter");
    if (int result = ::seccomp_export_bpf(filter.get(), file.get()); result < 0)
        throw system_error(-result, "cannot write the system call filter");
    ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    if (::lseek(file.get(), 0, SEEK_SET) != 0)
        throw system_error(errno, "cannot rewind the system call filter");
    return file;
}

} // namespace scad::engine
