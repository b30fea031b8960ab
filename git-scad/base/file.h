#pragma once

#include "base/fd.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::base {

// All of these are for files that no session can write: the host's and scad's own. Errors are fatal and name
// the path.

// The whole content; fatal when it is no regular file or longer than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{64} << 20);
// The same, empty when it does not exist.
std::optional<std::string> read_if_exists(const std::filesystem::path& path,
                                          std::size_t limit = std::size_t{64} << 20);

enum class Durability {
    synced, // file and directory are fsynced: survives a power cut. For all that records a promise
    plain,  // only the rename is atomic. For what can be made again (status.json)
};

// Replaces a file: a temporary name in the same directory, write, fsync, rename, fsync of the directory.
// Readers see the old or the new content.
void replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode = 0600,
                  Durability durability = Durability::synced);

// Makes a directory and its missing parents; 0700 by default. No error when it exists.
void make_directories(const std::filesystem::path& path, mode_t mode = 0700);

// fsync of a directory (after a rename in it).
void sync_directory(const std::filesystem::path& path);

// Removes a file or a directory with all below it; no error when it does not exist. Follows no link, leaves
// no file system (it does not descend into mount points), is not recursive on the stack, and gives itself
// permission on directories (mode 000 work directories of overlayfs) as it goes.
void remove_tree(const std::filesystem::path& path);

// Bytes that lie on disk below `path` (st_blocks), links not followed.
std::uint64_t disk_usage(const std::filesystem::path& path);

// A directory that is built under a temporary name (".tmp-<pid>-<random>" beside its final one, locked by its
// maker) and renamed once, when it is whole.
class WholeDirectory {
  public:
    // Makes `parent`/.tmp-…
    explicit WholeDirectory(const std::filesystem::path& parent);
    ~WholeDirectory(); // removes what was not committed
    WholeDirectory(WholeDirectory&&) noexcept;
    WholeDirectory& operator=(WholeDirectory&&) = delete;

    const std::filesystem::path& path() const { return path_; }

    // Renames it to `parent`/`name` (renameat2(2), RENAME_NOREPLACE) and, when it is to be synced, fsyncs the
    // parent. False when that name exists: this one is removed then by the destructor.
    bool commit(const std::string& name, Durability durability = Durability::synced);

  private:
    std::filesystem::path parent_;
    std::filesystem::path path_;
    Fd lock_;
    bool committed_ = false;
};

// Removes below `parent` every ".tmp-…" whose maker is gone (its lock is free). Returns the names that were
// removed.
std::vector<std::string> sweep_temporaries(const std::filesystem::path& parent);

} // namespace scad::base
