#include "review/range.h"

#include "base/error.h"
#include "base/repository.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::review {

Range fetched_range(const session::Session& session, const session::SessionRepo& repo,
                    const base::Variables& variables) {
    return with_context(
        [&] {
            const base::Repository host(repo.common_dir, variables);
            Range range{session.name, repo.name, repo.host, repo.base_commit, repo.branch, {}, {}, {}};
            const auto prefix = fmt::format("refs/remotes/scad/{}/", session.name);
            range.tip = host.resolve(prefix + repo.branch).value_or(repo.base_commit);
            range.tips.push_back(range.tip);
            for (const auto& ref : host.refs(prefix)) {
                if (ref.name == prefix + "HEAD") continue;
                const auto tip = host.resolve(ref.name);
                if (tip && std::find(range.tips.begin(), range.tips.end(), *tip) == range.tips.end())
                    range.tips.push_back(*tip);
            }
            range.wip = host.resolve(fmt::format("refs/scad-session/{}/wip", session.name));
            return range;
        },
        "while looking at what came from '{}/{}'", session.name, repo.name);
}

} // namespace scad::review
