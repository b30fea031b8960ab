#pragma once

#include <string>
#include <string_view>
#include <vector>

// What an Origin is read from, and what a session's git directory says, as text. All pure.
namespace scad::workspace {

// The url without what could be a secret: user, password and query of http, https and the like. The user of
// an ssh url stays: no server answers without it, and it is none ("git@"); its password goes. Paths and
// scp-like addresses ("git@host:path", git-clone(1) GIT URLS) are left as they are.
std::string without_credentials(std::string_view url);

// The paths in an objects/info/alternates file (gitrepository-layout(5)), in order and as they stand there,
// relative ones too: comments and empty lines are passed over, a C-quoted line is unquoted. One that is
// quoted wrongly is passed over, as git does.
std::vector<std::string> parse_alternates(std::string_view text);

// One line of such a file: quoted when it would be read as something else.
std::string alternates_line(std::string_view path);

// The bytes of a C-quoted string, with its quotes (git-config(1), core.quotePath). False when it is none.
bool c_unquote(std::string_view quoted, std::string& bytes);

// A value as it stands in a file of git-config(1), in double quotes.
std::string config_value(std::string_view value);

// "main" of "ref: refs/heads/main\n", the content of a HEAD file. Empty: detached, or no branch.
std::string branch_of_head(std::string_view head);

// Whether `refs/heads/<name>` is a ref that git takes (git-check-ref-format(1)) and that cannot be taken for
// an option or for HEAD.
bool is_branch_name(std::string_view name);

// Whether the text of a .gitattributes file hands some path to Git LFS.
bool mentions_lfs(std::string_view attributes);

} // namespace scad::workspace
