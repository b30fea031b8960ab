// Each limit is held by the strongest means that there is, and says which one.
#include "engine/limits.h"

#include "base/error.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>
#include <unistd.h>

using namespace scad::engine;

namespace {

std::vector<std::string> as_text(const std::vector<LimitMeans>& means) {
    std::vector<std::string> lines;
    lines.reserve(means.size());
    for (const auto& one : means) {
        lines.push_back(one.name + " | " + one.value + " | " + one.means + (one.strong ? "" : " | weak"));
    }
    return lines;
}

SandboxLimits all_limits() {
    SandboxLimits limits;
    limits.cpus = 1.5;
    limits.memory = std::uint64_t{16} << 30;
    limits.pids = 2048;
    limits.open_files = 4096;
    limits.file_size = std::uint64_t{20} << 30;
    limits.shm = std::uint64_t{8} << 30;
    return limits;
}

} // namespace

TEST_CASE("limits without a cgroup") {
    CHECK(as_text(plan_limits(all_limits(), {})) ==
          std::vector<std::string>{"cpus | 1.5 | CPU affinity of process 1 | weak",
                                   "memory | 16 GiB | watch (sum of PSS, every 0.5 s) | weak",
                                   "pids | 2048 | RLIMIT_NPROC in the namespace",
                                   "open_files | 4096 | RLIMIT_NOFILE (each process)",
                                   "file_size | 20 GiB | RLIMIT_FSIZE (each file)",
                                   "shm | 8 GiB | size of tmpfs"});
}

TEST_CASE("limits with a cgroup, and with half of one") {
    CHECK(as_text(plan_limits(all_limits(), CgroupAccess{"/x", {"memory", "pids", "cpu"}})) ==
          std::vector<std::string>{"cpus | 1.5 | cgroup", "memory | 16 GiB | cgroup",
                                   "pids | 2048 | cgroup, RLIMIT_NPROC in the namespace",
                                   "open_files | 4096 | RLIMIT_NOFILE (each process)",
                                   "file_size | 20 GiB | RLIMIT_FSIZE (each file)",
                                   "shm | 8 GiB | size of tmpfs"});
    auto half = as_text(plan_limits(all_limits(), CgroupAccess{"/x", {"pids"}}));
    CHECK(half.at(0) == "cpus | 1.5 | CPU affinity of process 1 | weak");
    CHECK(half.at(1) == "memory | 16 GiB | watch (sum of PSS, every 0.5 s) | weak");
}

TEST_CASE("what is not limited is not listed") {
    CHECK(as_text(plan_limits({}, {})) == std::vector<std::string>{"shm | 64 MiB | size of tmpfs"});
}

TEST_CASE("the place in the cgroup hierarchy") {
    const std::string unified =
        "25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    CHECK(find_cgroup_place("0::/user.slice/x.scope\n", unified) ==
          CgroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/x.scope"});
    CHECK(find_cgroup_place("0::/\n", unified) == CgroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup"});
    // v1 beside it: only the line of number 0 counts.
    const std::string hybrid =
        "30 23 0:29 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
        "31 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "32 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    CHECK(find_cgroup_place("4:memory:/a\n0::/b\n", hybrid) ==
          CgroupPlace{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/b"});
    // A mount that shows only a part.
    const std::string part = "25 30 0:23 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    CHECK(find_cgroup_place("0::/docker/1/a\n", part) == CgroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup/a"});
    CHECK(find_cgroup_place("0::/docker/1\n", part) == CgroupPlace{"/sys/fs/cgroup", "/sys/fs/cgroup"});
    CHECK_FALSE(find_cgroup_place("0::/docker/12\n", part));
    CHECK_FALSE(find_cgroup_place("0::/../x\n", unified));
    CHECK_FALSE(find_cgroup_place("4:memory:/a\n", unified));
    CHECK_FALSE(find_cgroup_place("0::/a\n", "garbage\n\n - cgroup2 \n"));
    CHECK_FALSE(find_cgroup_place("", ""));
}

TEST_CASE("memory of this process") {
    auto before = tree_memory(::getpid());
    CHECK(before > (1U << 20));
    std::vector<char> block(std::size_t{32} << 20, 'x');
    CHECK(tree_memory(::getpid()) > before + (std::uint64_t{24} << 20));
    CHECK(std::count(block.begin(), block.end(), 'x') > 0);
    CHECK(tree_memory(0x3fffffff) == 0);
}

TEST_CASE("affinity rounds up and stays within what the caller has") {
    cpu_set_t before;
    REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
    auto count = [] {
        cpu_set_t now;
        ::sched_getaffinity(0, sizeof now, &now);
        return CPU_COUNT(&now);
    };
    set_affinity(0, 4096, 7);
    CHECK(count() == CPU_COUNT(&before));
    set_affinity(0, 0.5, 3);
    CHECK(count() == 1);
    REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}
