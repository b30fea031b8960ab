#pragma once

#include "base/variables.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace scad::environment {

// A repo of the project on this host, and the commit that sessions start from.
struct RepoAt {
    std::string name;
    std::filesystem::path repo; // its working tree, or git directory
    std::string commit;
};

// One file as a step of the baking sees it below /work/<repo>.
struct InputFile {
    std::string path; // from the repo's top
    std::string mode; // as git has it: "100644", "100755", "120000" (a link), "040000" (a directory alone)
    std::string id;   // of the blob; empty: the file is empty
    bool operator==(const InputFile&) const = default;
    bool operator<(const InputFile& other) const {
        return std::tie(path, mode, id) < std::tie(other.path, other.mode, other.id);
    }
};
using Inputs = std::map<std::string, std::vector<InputFile>>; // by repo, sorted by path
// Adds files to sorted ones; one that is there with and without its content stays with it.
void merge(std::vector<InputFile>& into, std::vector<InputFile> files);

// What the baking is made from: files of the base commits, read by git's plumbing from the repos of the host,
// so that no filter and no hook runs and the working trees are left alone.
class Sources {
  public:
    Sources(std::vector<RepoAt> repos, const base::Variables& variables)
        : repos_(std::move(repos)), variables_(variables) {}

    const RepoAt& at(const std::string& repo) const; // fatal: no such repo

    // The files at or below these paths ("" is the whole repo), sorted, each once; submodules are left out.
    // What does not exist gives nothing.
    std::vector<InputFile> list(const std::string& repo, const std::vector<std::string>& paths) const;
    // Contents, in the same order; none for what is no file.
    std::vector<std::optional<std::string>> read(const std::string& repo,
                                                 const std::vector<std::string>& paths) const;
    // Writes the files into `directory`, which is scad's own and empty. Fatal for a path that would leave it.
    void write(const std::string& repo, const std::vector<InputFile>& files,
               const std::filesystem::path& directory) const;

  private:
    std::vector<RepoAt> repos_;
    const base::Variables& variables_;
};

} // namespace scad::environment
