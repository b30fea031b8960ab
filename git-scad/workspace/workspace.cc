#include "workspace/workspace.h"

#include "base/error.h"
#include "engine/host_check.h"
#include "workspace/inner_mounts.h"

#include <system_error>

namespace scad::workspace {

std::vector<engine::Mount> object_mounts(const std::string& name,
                                         const std::vector<std::filesystem::path>& objects,
                                         const std::filesystem::path& empty) {
    std::vector<engine::Mount> mounts;
    for (std::size_t n = 0; n < objects.size(); ++n) {
        const std::string inside = inner_objects(name, n);
        mounts.push_back({inside, engine::Bind{objects[n], false}});
        std::error_code error;
        if (std::filesystem::is_regular_file(objects[n] / "info" / "alternates", error)) {
            mounts.push_back({inside + "/info/alternates", engine::Bind{empty, false}});
        }
    }
    return mounts;
}

std::unique_ptr<Workspace> make_workspace(std::string_view name) {
    if (name == "overlay") return make_overlay_workspace();
    if (name == "copy") return make_copy_workspace();
    throw fatal("there is no workspace '{}'", name).with_hint("use 'overlay' or 'copy'");
}

std::string choose_workspace(const std::string& setting, const base::Paths& paths) {
    if (setting == "overlay" || setting == "copy") return setting;
    if (!setting.empty() && setting != "auto") {
        throw fatal("'{}' is no value of 'scad.workspace'", setting)
            .with_hint("git config --global scad.workspace auto    # or overlay, or copy");
    }
    return engine::refuses_overlays(paths.state) ? "copy" : "overlay";
}

std::vector<engine::Mount> git_only_mounts(const std::filesystem::path& directory, const std::string& repo,
                                           const std::vector<std::filesystem::path>& objects) {
    std::vector<engine::Mount> mounts = object_mounts(repo, objects, directory / empty_file);
    mounts.push_back({"/work/" + repo + "/.git", engine::Bind{directory / "git", false}});
    return mounts;
}

} // namespace scad::workspace
