#include "target.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace scad::remote_helper {

Address parse_address(std::string_view text) {
    auto rest = text;
    for (const auto* prefix : {"scad::", "scad://", "//"})
        if (rest.starts_with(prefix)) rest.remove_prefix(std::string_view(prefix).size());
    while (rest.ends_with('/')) rest.remove_suffix(1);
    const auto slash = rest.find('/');
    Address address{std::string(rest.substr(0, slash)),
                    slash == std::string_view::npos ? "" : std::string(rest.substr(slash + 1))};
    if (address.session.empty() || address.repo.find('/') != std::string::npos)
        throw fatal("'{}' is no address of a session: scad::<session> or scad::<session>/<repo>",
                    base::one_line(text, 200));
    return address;
}

Target find_target(const session::Store& store, const Address& address,
                   const std::optional<std::filesystem::path>& common_dir) {
    auto session = store.find_exact(address.session).session;
    std::vector<std::string> names;
    for (const auto& repo : session.repos) names.push_back(repo.name);
    if (!address.repo.empty()) {
        if (session.repo(address.repo) == nullptr)
            throw fatal("session '{}' has no repo '{}'; it has {}", session.name, address.repo,
                        base::join(names, ", "));
        return {std::move(session), address.repo};
    }
    for (const auto& repo : session.repos)
        if (common_dir && repo.common_dir == *common_dir) return {session, repo.name};
    if (session.repos.size() == 1) return {session, names.front()};
    throw fatal("session '{}' has several repos: {}", session.name, base::join(names, ", "))
        .with_hint("scad::{}/{}", session.name, names.front());
}

} // namespace scad::remote_helper
