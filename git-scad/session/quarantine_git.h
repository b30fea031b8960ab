#pragma once

#include "base/fd.h"
#include "base/process.h"
#include "session/upload_pack_client.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

// A quarantine's refs by full name.
using Refs = std::map<std::string, std::string>;

// git on a quarantine: nothing of the caller's environment or configuration, bounded in time, memory and the
// size of a file (prlimit(1)).
class QuarantineGit {
  public:
    // `objects`: where new objects are written and looked for first, in place of the quarantine's own
    // directory.
    QuarantineGit(std::filesystem::path directory, std::uint64_t file_size,
                  std::filesystem::path objects = {});

    const std::filesystem::path& directory() const { return directory_; }
    base::Command command(std::vector<std::string> args) const;
    base::Result run(std::vector<std::string> args, std::string input = {}) const;

    // Read from its files (gitrepository-layout(5)), which only scad writes.
    Refs refs() const;
    // Replaces all of them at once and for good, in one file. Each must be a commit.
    void write(const Refs& refs) const;
    // Whether all that these commits need is there. False too when it cannot be walked in time and memory.
    // `huge`: set when a file of at least `limit` bytes is among what the quarantine's refs do not have.
    bool connected(const std::vector<std::string>& tips, std::uint64_t limit, bool& huge) const;
    // Whether each of these is a commit; only one can stand as a branch.
    bool all_commits(const std::vector<std::string>& ids) const;
    bool is_ancestor(const std::string& older, const std::string& newer) const;

  private:
    std::filesystem::path directory_;
    std::uint64_t file_size_;
    std::filesystem::path objects_;
};

// An object directory for what is not yet known to be good; it sees the quarantine's own. What is not kept
// goes with it.
class IncomingObjects {
  public:
    explicit IncomingObjects(const std::filesystem::path& quarantine);
    ~IncomingObjects();
    IncomingObjects(const IncomingObjects&) = delete;
    IncomingObjects& operator=(const IncomingObjects&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void keep(); // moves its packs into the quarantine

    static void sweep(const std::filesystem::path& quarantine); // what a fetch that was killed left

  private:
    std::filesystem::path quarantine_;
    std::filesystem::path path_;
};

// A pack on its way into a quarantine: git-index-pack(1) with all checks of git-fsck(1).
class PackReceiver {
  public:
    PackReceiver(const QuarantineGit& git, std::uint64_t limit);
    ~PackReceiver(); // kills what has not ended

    void take(std::string_view bytes); // fatal, with git's reason, when git does not want more
    void finish();                     // fatal, with git's reason, when the pack is refused

  private:
    void start();
    [[noreturn]] void refused();

    const QuarantineGit& git_;
    std::uint64_t limit_;
    std::string head_; // the first bytes, until they tell whether there is anything in the pack
    base::Fd to_;
    base::Child child_;
    std::unique_ptr<ForeignWords> words_;
};

} // namespace scad::session
