#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scad::project {

// What may stand in a project file beyond types. All pure; each returns why a value cannot be, empty when it
// can.

// A path inside a session, where a host directory is to be mounted: absolute, normal, outside of what the
// system and scad keep.
std::string mount_target_problem(const std::string& target);

// An absolute path in its normal form: no "//", ".", ".." nor a "/" at the end.
std::string absolute_path_problem(const std::string& path);

// A path relative to a repo's top, in its normal form, that does not leave it.
std::string inner_path_problem(const std::string& path);

// The name of an environment variable that a project sets or hands through.
std::string variable_problem(const std::string& name);

// An entry of an allow list: "name", "*.suffix", "name:port", an address with or without port, "@python",
// "@npm", "*".
std::string allow_problem(const std::string& entry);

// The work branch, with "{session}" for the session's name: what git and the way back take as a branch's
// name.
std::string branch_problem(const std::string& branch);

// A version of Python as a project names it: "3", "3.11" or "3.11.4"; empty: any.
std::string python_version_problem(const std::string& version);

// A revision that git is to resolve: no option, no control characters.
std::string revision_problem(const std::string& revision);

// The address of a repo: https, ssh (also user@host:path), git or file; no password.
std::string url_problem(const std::string& url);

// Whether `path` is `directory` or lies below it; both absolute and normal.
bool is_at_or_below(std::string_view path, std::string_view directory);

} // namespace scad::project
