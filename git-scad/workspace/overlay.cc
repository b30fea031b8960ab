#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "workspace/inner_mounts.h"
#include "workspace/workspace.h"

#include <fcntl.h>
#include <system_error>

namespace scad::workspace {

namespace {

constexpr const char* empty_file = "empty";

class OverlayWorkspace : public Workspace {
  public:
    std::string_view name() const override { return "overlay"; }

    void make(const std::filesystem::path& directory, const Origin& origin, const BaseTree& tree,
              const std::string& branch) const override {
        make_empty(directory);
        write_git_directory(directory / "git", origin, branch, tree.index());
    }

    std::vector<std::string> layers() const override { return {"git", "upper"}; }

    void make_empty(const std::filesystem::path& directory) const override {
        for (const char* part : {"git", "upper", "work"}) base::make_directories(directory / part);
        for (const auto& [part, mode] : {std::pair{"lock", 0600}, std::pair{empty_file, 0444}}) {
            base::open_file(directory / part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                            static_cast<mode_t>(mode));
        }
    }

    std::vector<engine::Mount> mounts(const std::filesystem::path& directory, const std::string& repo,
                                      const BaseTree& tree,
                                      const std::vector<std::filesystem::path>& objects) const override {
        std::vector<engine::Mount> mounts = object_mounts(repo, objects, directory / empty_file);
        mounts.push_back(
            {"/work/" + repo,
             engine::Overlay{{tree.tree()}, directory / "upper", directory / "work", directory / "git"}});
        return mounts;
    }
};

} // namespace

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
    if (name == "overlay") return std::make_unique<OverlayWorkspace>();
    if (name == "copy")
        throw fatal("the workspace '{}' is not in this build", name).with_hint("use 'overlay'");
    throw fatal("there is no workspace '{}'", name).with_hint("use 'overlay'");
}

std::vector<engine::Mount> git_only_mounts(const std::filesystem::path& directory, const std::string& repo,
                                           const std::vector<std::filesystem::path>& objects) {
    std::vector<engine::Mount> mounts = object_mounts(repo, objects, directory / empty_file);
    mounts.push_back({"/work/" + repo + "/.git", engine::Bind{directory / "git", false}});
    return mounts;
}

} // namespace scad::workspace
