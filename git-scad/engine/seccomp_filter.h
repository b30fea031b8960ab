#pragma once

#include "base/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scad::engine {

// The system call filter of every sandbox (seccomp(2), Documentation/userspace-api/seccomp_filter.rst): what
// is not named is allowed.

enum class SyscallAnswer { not_permitted, not_there, no_such_family }; // EPERM, ENOSYS, EAFNOSUPPORT

// One condition on an argument. Arguments are compared as 64 bits: `mask` cuts off what the kernel does not
// look at.
struct SyscallTest {
    enum class Kind { masked_equal, greater, equal, different };
    unsigned argument = 0;
    Kind kind = Kind::equal;
    std::uint64_t mask = 0; // masked_equal only
    std::uint64_t value = 0;
    bool operator==(const SyscallTest&) const = default;
};

struct SyscallRule {
    enum class Where { everywhere, x86_only }; // x86_only: 32-bit programs on x86_64
    SyscallAnswer answer = SyscallAnswer::not_permitted;
    std::string name;               // as libseccomp knows it
    std::optional<int> number;      // for calls that are newer than libseccomp; the same on all architectures
    std::vector<SyscallTest> tests; // all must hold
    Where where = Where::everywhere;
    bool operator==(const SyscallRule&) const = default;
};

// The rules in their order. Pure.
std::vector<SyscallRule> sandbox_rules();

// One line a rule: "EPERM clone if arg0 & 0x10000000 == 0x10000000". Pure.
std::string rules_text(const std::vector<SyscallRule>& rules);

// The rules as a BPF program in a sealed memory file, offset 0, for this machine's architecture and its
// 32-bit kin; x32 and others get ENOSYS. Fatal when libseccomp refuses.
base::Fd compile_filter(const std::vector<SyscallRule>& rules);

} // namespace scad::engine
