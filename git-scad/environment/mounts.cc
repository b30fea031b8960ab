#include "environment/mounts.h"

#include "base/file.h"

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

// Empty directories where something is mounted later. Topmost, so that no step can have put a link in the
// place of one.
fs::path places(const base::Paths& paths) { return paths.environments() / "places"; }

} // namespace

std::vector<engine::Mount> tool_mounts(const std::vector<Tool>& tools) {
    std::vector<engine::Mount> mounts;
    for (const Tool& tool : tools) {
        if (!tool.mounted) continue;
        engine::Mount mount;
        mount.target = tool.target;
        mount.what = engine::Overlay{.lowers = {tool.source}, .upper = {}, .work = {}, .git = {}};
        mount.exact = true; // a session may have been able to put a link there since
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

std::vector<fs::path> own_lowers(const base::Paths& paths, const Parts& parts) {
    std::vector<fs::path> lowers = {places(paths)};
    for (const std::string& id : parts.opt) lowers.push_back(layer_directory(paths, id) / "opt");
    return lowers;
}

std::vector<engine::Mount> environment_mounts(const base::Paths& paths, const Parts& parts,
                                              const fs::path& venv) {
    std::vector<engine::Mount> mounts = tool_mounts(parts.tools);
    if (parts.opt.empty()) return mounts;
    mounts.push_back(
        {own_path, engine::Overlay{.lowers = own_lowers(paths, parts), .upper = {}, .work = {}, .git = {}}});
    if (parts.venv.empty()) return mounts;
    engine::Overlay overlay;
    for (const std::string& id : parts.venv)
        overlay.lowers.push_back(layer_directory(paths, id) / "opt" / "venv");
    overlay.upper = venv / "upper";
    overlay.work = venv / "work";
    mounts.push_back({venv_path, std::move(overlay)});
    return mounts;
}

std::vector<fs::path> work_lowers(const base::Paths& paths, const Parts& parts, const std::string& repo) {
    std::vector<fs::path> lowers;
    const auto found = parts.work.find(repo);
    if (found == parts.work.end()) return lowers;
    for (const std::string& id : found->second) lowers.push_back(layer_directory(paths, id) / "work" / repo);
    return lowers;
}

void prepare_own_lowers(const base::Paths& paths) {
    for (const char* place : {"agents", "venv"}) base::make_directories(places(paths) / place, 0755);
}

} // namespace scad::environment
