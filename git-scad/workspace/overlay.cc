#include "base/file.h"
#include "workspace/checkout.h"
#include "workspace/inner_mounts.h"
#include "workspace/workspace.h"

namespace scad::workspace {

namespace {

class OverlayWorkspace : public Workspace {
  public:
    std::string_view name() const override { return "overlay"; }

    std::string tree_key(const Origin& origin) const override { return base_tree_key(origin); }

    void make(const std::filesystem::path& directory, const Origin& origin, const std::string& branch,
              const Making& making) const override {
        const BaseTree tree = ensure_base_tree(making.paths, origin, making.engine, making.progress);
        make_empty(directory);
        write_git_directory(directory / "git", origin, branch, tree.index());
        if (!origin.start_commit.empty() || !origin.laid_over.empty())
            fill_working_copy(mounts(directory, origin.name, tree, origin.objects), origin, making.engine);
    }

    std::vector<std::string> layers() const override { return {"git", "upper"}; }

    void make_empty(const std::filesystem::path& directory) const override {
        for (const char* part : {"git", "upper", "work"}) base::make_directories(directory / part);
        make_small_files(directory);
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

std::unique_ptr<Workspace> make_overlay_workspace() { return std::make_unique<OverlayWorkspace>(); }

} // namespace scad::workspace
