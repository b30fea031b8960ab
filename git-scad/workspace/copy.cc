#include "base/file.h"
#include "workspace/checkout.h"
#include "workspace/inner_mounts.h"
#include "workspace/workspace.h"

namespace scad::workspace {

namespace {

constexpr const char* files = "files";

// Nothing is shared with other sessions but the objects: no mount is needed that a host may refuse, and each
// session costs a checkout.
class CopyWorkspace : public Workspace {
  public:
    std::string_view name() const override { return "copy"; }

    std::string tree_key(const Origin&) const override { return {}; }

    void make(const std::filesystem::path& directory, const Origin& origin, const std::string& branch,
              const Making& making) const override {
        make_empty(directory);
        // Where the git directory is mounted. The rest is as a clone of one's own would have it.
        base::make_directories(directory / files / ".git", 0755);
        write_git_directory(directory / "git", origin, branch, {});
        if (making.progress) {
            making.progress(
                fmt::format("checking out repo '{}' at {}", origin.name, origin.base_commit.substr(0, 12)));
        }
        fill_working_copy(mounts(directory, origin.name, {}, origin.objects), origin, making.engine);
    }

    std::vector<std::string> layers() const override { return {"git", files}; }

    void make_empty(const std::filesystem::path& directory) const override {
        for (const char* part : {"git", files}) base::make_directories(directory / part);
        make_small_files(directory);
    }

    std::vector<engine::Mount> mounts(const std::filesystem::path& directory, const std::string& repo,
                                      const BaseTree&,
                                      const std::vector<std::filesystem::path>& objects) const override {
        std::vector<engine::Mount> mounts = object_mounts(repo, objects, directory / empty_file);
        mounts.push_back({"/work/" + repo, engine::Bind{directory / files, true, directory / "git"}});
        return mounts;
    }
};

} // namespace

std::unique_ptr<Workspace> make_copy_workspace() { return std::make_unique<CopyWorkspace>(); }

} // namespace scad::workspace
