#pragma once

#include "base/host_git.h"
#include "base/variables.h"

#include <filesystem>
#include <string>

namespace scad::base {

// Where scad keeps things. All absolute. Made (0700) when first written to.
struct Paths {
    std::filesystem::path home;   // the caller's, $HOME or passwd(5)
    std::filesystem::path state;  // scad.stateDir, else $XDG_STATE_HOME/scad, else ~/.local/state/scad
    std::filesystem::path cache;  // scad.cacheDir, else $XDG_CACHE_HOME/scad, else ~/.cache/scad
    std::filesystem::path config; // $XDG_CONFIG_HOME/scad, else ~/.config/scad

    std::filesystem::path locks() const { return state / "locks"; }
    std::filesystem::path sessions() const { return state / "sessions"; }
    std::filesystem::path trash() const { return state / "trash"; }
    std::filesystem::path trees() const { return state / "trees"; }
    std::filesystem::path environments() const { return state / "environments"; }
    std::filesystem::path agents() const { return state / "agents"; } // content-addressed programs of agents
    std::filesystem::path trust() const { return state / "trust"; }
};

Paths find_paths(const Variables& variables, const Settings& settings);

// `~` and `~/…` of `text` replaced by `home`; a relative path is taken from `base`; lexically normal. Does
// not touch the disk.
std::filesystem::path expand_path(const std::string& text, const std::filesystem::path& home,
                                  const std::filesystem::path& base);

} // namespace scad::base
