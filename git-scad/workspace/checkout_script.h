#pragma once

#include <string>
#include <string_view>
#include <vector>

// The programs that make a base tree, for running in throw-away sandboxes: the files of a commit are as
// hostile as whoever wrote them. Pure.
namespace scad::workspace {

// Where the git directory of scad's own is while files are checked out. It has no hooks and no filters, so
// none run.
inline constexpr std::string_view checkout_git = "/run/scad/checkout";

std::vector<std::string> checkout_environment();

// Checks out all files of `commit` in the empty directory `work_tree`; the index is left in checkout_git.
std::vector<std::string> checkout_argv(const std::string& work_tree, const std::string& commit);

// In a sandbox where the tree is mounted as sessions mount it, with that git directory at its .git: makes the
// index agree with what is seen there, and fails with the names of files that are missing.
std::vector<std::string> refresh_argv(const std::string& work_tree);

// Where the files are that a working copy gets beside those of its commit.
inline constexpr std::string_view laid_over_path = "/run/scad/include";

// In a sandbox where a working copy is mounted with its git directory: checks out `commit` over whatever
// commit is there, copies what is at laid_over_path, and leaves a valid index.
std::vector<std::string> fill_argv(const std::string& work_tree, const std::string& commit);

} // namespace scad::workspace
