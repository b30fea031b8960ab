#pragma once

#include "base/paths.h"
#include "environment/plan.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scad::environment {

// Layers lie in <environments>/layers/<id>: opt/ (what is put over /opt/scad), work/<repo>/ (what is put
// under the base tree of a repo), log, layer.json. They were written in a sandbox and never change. Their own
// names are by scad; below those nothing is followed by path.

// What a layer says of the virtual environment, the directory opt/venv.
enum class VenvPart {
    none,  // nothing
    part,  // more of it, over what lies below
    whole, // all of it
    gone,  // that there is none
};

// What one step left.
struct Layer {
    std::string id;
    std::string title;
    bool opt = false;
    VenvPart venv = VenvPart::none;
    std::vector<std::string> work; // repos
    std::vector<std::string>
        made;               // "<repo>/<path>": what it made there, each the topmost that the repo lacks
    std::uint64_t size = 0; // bytes on disk
    std::int64_t milliseconds = 0; // that it took
    bool operator==(const Layer&) const = default;
};

// The layers that a session stands on, by id, topmost first; and the directories of tools.
struct Parts {
    std::vector<std::string> opt;
    std::vector<std::string> venv; // those with opt/venv; empty: no virtual environment
    std::map<std::string, std::vector<std::string>> work;
    std::vector<std::string> made; // by the steps in repos, "<repo>/<path>": no work of a session
    std::vector<Tool> tools;
    bool used() const { return !opt.empty() || !work.empty(); } // some layer is
    bool operator==(const Parts&) const = default;
};

std::filesystem::path layers_directory(const base::Paths& paths);
std::filesystem::path layer_directory(const base::Paths& paths, const std::string& id);

// An id names a directory: nothing that would lead elsewhere.
bool is_id(const std::string& id);

// By its own id. Fatal: of a newer scad.
std::optional<Layer> read_layer(const base::Paths& paths, const std::string& id);
// Writes layer.json into a directory that is being made.
void write_layer(const std::filesystem::path& directory, const Layer& layer);

// What the upper layer `opt` of a step that has ended holds of the virtual environment. Follows nothing.
VenvPart venv_part(const std::filesystem::path& opt);

// The layers of an environment, lowest first, as parts. Pure.
Parts stack(const std::vector<Layer>& layers, std::vector<Tool> tools);

// After `build --no-cache` a step or a plan has another result than the one named by its own id: the id of
// the newest one. `renew` notes it.
std::string newest_result(const base::Paths& paths, const std::string& id);
void renew(const base::Paths& paths, const std::string& id, const std::string& result);

} // namespace scad::environment
