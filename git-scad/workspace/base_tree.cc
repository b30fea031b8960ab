#include "workspace/base_tree.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/sync.h"
#include "base/text.h"
#include "workspace/checkout.h"
#include "workspace/checkout_script.h"
#include "workspace/copy_file.h"
#include "workspace/inner_mounts.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::workspace {

namespace {

constexpr int marker_version = 1;
constexpr mode_t top_mode = 0555; // nothing in an overlay looks at it; it keeps everybody else out

// Entries of the top directory; -1: not readable.
std::int64_t count_entries(const std::filesystem::path& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
    if (!stream) return -1;
    std::int64_t count = 0;
    while (::readdir(stream.get()) != nullptr) ++count;
    return count;
}

// The number of entries in an index file (gitformat-index(5): "DIRC", version, count, each 4 bytes,
// big-endian).
std::int64_t index_entries(const std::filesystem::path& index) {
    const base::Fd file = base::open_file(index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    unsigned char head[12] = {};
    if (::pread(file.get(), head, sizeof head, 0) != static_cast<ssize_t>(sizeof head) || head[0] != 'D') {
        throw fatal("'{}' is no git index", index.native());
    }
    return std::int64_t{head[8]} << 24 | std::int64_t{head[9]} << 16 | std::int64_t{head[10]} << 8 | head[11];
}

// A sandbox that checks out into a directory below `directory`.
engine::SandboxSpec making_spec(const Origin& origin, const std::filesystem::path& directory,
                                engine::Mount work_tree) {
    std::vector<engine::Mount> mounts = object_mounts(origin.name, origin.objects, directory / empty_file);
    mounts.push_back(std::move(work_tree));
    return checkout_spec(std::move(mounts));
}

void set_mode(const std::filesystem::path& path, mode_t mode) {
    if (::chmod(path.c_str(), mode) != 0)
        throw system_error(errno, "cannot change the mode of '{}'", path.native());
}

// Fills the directory: tree, index, marker.json.
void make_tree(const std::filesystem::path& directory, const std::string& key, const Origin& origin,
               const engine::Engine& engine) {
    const std::filesystem::path tree = directory / "tree";
    const std::filesystem::path git = directory / "git";
    const std::filesystem::path scratch = directory / "scratch";
    for (const auto& path : {git, scratch / "upper", scratch / "work"}) base::make_directories(path);
    base::make_directories(tree, 0755);
    // The directory where each session's git directory is mounted is made first, while all is scad's own, so
    // that no upper layer needs to make it.
    base::make_directories(tree / ".git", 0755);
    base::open_file(directory / empty_file, O_WRONLY | O_CREAT | O_EXCL, 0444);
    write_git_directory(git, origin, "checkout", {});

    const std::string inside = "/work/" + origin.name;
    engine::SandboxSpec spec = making_spec(origin, directory, {inside, engine::Bind{tree, true}});
    spec.mounts.push_back({std::string(checkout_git), engine::Bind{git, true}});
    run_checkout(engine, spec, checkout_argv(inside, origin.base_commit), origin);

    set_mode(tree, top_mode);
    run_checkout(engine,
                 making_spec(origin, directory,
                             {inside, engine::Overlay{{tree}, scratch / "upper", scratch / "work", git}}),
                 refresh_argv(inside), origin);

    // The git directory was written in a sandbox: what is taken of it is no link and no FIFO.
    copy_regular(git / "index", directory / "index");
    base::remove_tree(git);
    base::remove_tree(scratch);
    base::remove_tree(directory / empty_file);
    const nlohmann::json marker = {{"version", marker_version},
                                   {"key", key},
                                   {"commit", origin.base_commit},
                                   {"entries", index_entries(directory / "index")},
                                   {"top", count_entries(tree)}};
    base::sync_file_system(directory);
    base::write_document(directory / "marker.json", marker);
}

// A tree that is damaged may still be the lower layer of a live session: it is put aside, not removed.
void put_aside(const std::filesystem::path& directory) {
    const std::filesystem::path aside =
        directory.parent_path() /
        fmt::format(".damaged-{}-{}", directory.filename().native(), base::random_hex(4));
    if (::rename(directory.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
        throw system_error(errno, "cannot rename '{}'", directory.native());
    }
}

} // namespace

std::string base_tree_key(const Origin& origin) {
    const std::string repo = base::sha256_hex(origin.host.common_dir.native()).substr(0, 16);
    std::string settings;
    for (const auto& [name, value] : origin.settings) settings += fmt::format("{}={}\n", name, value);
    if (!settings.empty()) settings = '-' + base::sha256_hex(settings).substr(0, 8);
    return repo + '/' + origin.base_commit + settings;
}

BaseTree base_tree_at(const base::Paths& paths, const std::string& key) {
    return key.empty() ? BaseTree{} : BaseTree{paths.trees() / key};
}

bool is_whole(const BaseTree& tree) {
    if (tree.directory.empty()) return true;
    struct stat status {};
    if (::lstat(tree.tree().c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        (status.st_mode & 0777) != top_mode) {
        return false;
    }
    if (::lstat(tree.index().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    try {
        const auto marker = base::read_document_if_exists(tree.directory / "marker.json", marker_version);
        return marker && base::find_int(*marker, "top", -1) == count_entries(tree.tree());
    } catch (const Error&) {
        return false;
    }
}

BaseTree ensure_base_tree(const base::Paths& paths, const Origin& origin, const engine::Engine& engine,
                          const std::function<void(const std::string&)>& progress) {
    const std::string key = base_tree_key(origin);
    BaseTree tree = base_tree_at(paths, key);
    if (is_whole(tree)) return tree;
    const auto say = [&](const std::string& line) {
        if (progress) progress(line);
    };
    const std::filesystem::path parent = tree.directory.parent_path();
    base::make_directories(parent);
    const base::FileLock lock = base::FileLock::acquire(parent / ".lock", [&] {
        say(fmt::format("waiting for another scad that checks out repo '{}'", origin.name));
    });
    base::sweep_temporaries(parent);
    if (is_whole(tree)) return tree; // somebody else has made it meanwhile
    put_aside(tree.directory);
    say(fmt::format("checking out repo '{}' at {}, once for all sessions", origin.name,
                    origin.base_commit.substr(0, 12)));
    base::WholeDirectory directory(parent);
    make_tree(directory.path(), key, origin, engine);
    if (!directory.commit(tree.directory.filename().native())) {
        throw fatal("cannot put the base tree of repo '{}' in place: '{}' exists", origin.name,
                    tree.directory.native());
    }
    return tree;
}

} // namespace scad::workspace
