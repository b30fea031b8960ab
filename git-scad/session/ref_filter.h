#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

// Whether a ref of a session may come to the host, by its full name. Pure. refs/heads/<name> where no part of
// the name could trip git, a shell, a file system or a terminal; refs/scad/wip and refs/scad/wips/<n>.
bool ref_allowed(std::string_view name);

struct ForeignRefs {
    std::map<std::string, std::string> ids; // full name -> object id; only what may come
    std::vector<std::string> refused;       // one line each, safe to print
};

// Reads what `git ls-remote --refs` printed of a session ("<id>\t<name>" lines): names that may not come are
// refused (the first few by name, the rest counted), so are those past `most`. `id_length`: 40 or 64. Pure.
ForeignRefs filter_refs(std::string_view listing, std::size_t id_length, std::size_t most);

// What has to be written so that the quarantine shows `theirs` and forgets nothing of `ours`. Pure but for
// `is_ancestor(old, new)`.
struct RefChanges {
    std::map<std::string, std::string> updates; // name -> new id
    std::map<std::string, std::string> lost;    // session-lost name -> the id that the session let go
    std::vector<std::string> deletions;
    bool empty() const { return updates.empty() && lost.empty() && deletions.empty(); }
};

template <class IsAncestor>
RefChanges plan_refs(const std::map<std::string, std::string>& ours,
                     const std::map<std::string, std::string>& theirs, unsigned next_lost,
                     const IsAncestor& is_ancestor) {
    RefChanges changes;
    std::map<std::string, bool> held; // ids that some ref of the session still names
    for (const auto& [name, id] : theirs) held[id] = true;
    const auto lose = [&](const std::string& name, const std::string& id) {
        if (held.count(id) != 0) return;
        const auto slash = name.find('/', 5); // behind "refs/heads" or "refs/scad"
        changes.lost["refs/session-lost/" + std::to_string(next_lost) + "/" + name.substr(slash + 1)] = id;
    };
    for (const auto& [name, id] : theirs) {
        const auto mine = ours.find(name);
        if (mine == ours.end())
            changes.updates[name] = id;
        else if (mine->second != id) {
            changes.updates[name] = id;
            if (!is_ancestor(mine->second, id)) lose(name, mine->second);
        }
    }
    for (const auto& [name, id] : ours)
        if (theirs.count(name) == 0) {
            changes.deletions.push_back(name);
            lose(name, id);
        }
    return changes;
}

} // namespace scad::session
