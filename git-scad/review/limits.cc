#include "review/limits.h"

#include <algorithm>
#include <initializer_list>
#include <sys/resource.h>
#include <utility>

namespace scad::review {

void limit_this_process() {
    // Not RLIMIT_AS: git maps whole packs into its address space.
    using Limit = std::pair<decltype(RLIMIT_DATA), rlim_t>;
    for (const auto& [resource, most] : {Limit{RLIMIT_DATA, rlim_t{4} << 30}, Limit{RLIMIT_CPU, 600}}) {
        rlimit limit{};
        if (::getrlimit(resource, &limit) != 0) continue;
        limit.rlim_cur = std::min(limit.rlim_max, most);
        ::setrlimit(resource, &limit);
    }
}

} // namespace scad::review
