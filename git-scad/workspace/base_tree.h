#pragma once

#include "base/paths.h"
#include "engine/engine.h"
#include "workspace/clone.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace scad::workspace {

// A shared, immutable checkout of one commit: the lower layer of every session at that commit.
// <trees>/<repo-id>/<commit+settings>/{tree,index,marker.json}.
struct BaseTree {
    std::filesystem::path directory;
    std::filesystem::path tree() const { return directory / "tree"; }
    std::filesystem::path index() const {
        return directory / "index";
    } // refreshed inside a sandbox with a session's uid: valid in every session with git's default settings
};

// <repo-id>/<commit+settings> of an origin: what it is found by. Pure.
std::string base_tree_key(const Origin& origin);
// Where the tree of that key would be. The empty key is that of working copies which stand on none: it gives
// an empty directory.
BaseTree base_tree_at(const base::Paths& paths, const std::string& key);
// Whole, with its marker and the top of its tree as it should be; none at all lacks nothing. Cheap; asked
// before each start and snapshot.
bool is_whole(const BaseTree& tree);

// The tree when it is there, else makes it: checked out in a throw-away sandbox without network, with limits,
// so that no filter, hook or smudge of anyone runs on the host; synced, then renamed. Two that make the same
// at once make it once. `progress` gets one line when there is work to do.
BaseTree ensure_base_tree(const base::Paths& paths, const Origin& origin, const engine::Engine& engine,
                          const std::function<void(const std::string&)>& progress);

} // namespace scad::workspace
