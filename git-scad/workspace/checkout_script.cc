#include "workspace/checkout_script.h"

namespace scad::workspace {

namespace {

// git leaves out what it cannot read (objects missing in a partial clone) with no more than a line on stderr
// and exit status 0: so the files are counted afterwards. `read-tree -u` neither runs post-checkout nor moves
// HEAD.
constexpr std::string_view checkout_text = R"(set -eu
umask 022
export GIT_DIR="$1" GIT_WORK_TREE="$2"
cd "$2"
git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c checkout.workers=2 read-tree -m -u "$3"
)";

// The index also takes a list of what is untracked in each directory (nothing) with the directory's times, so
// that the first `git status` of a session needs to read only the directories that it has changed (UNTR in
// gitformat-index(5)). git trusts it for the path that it was made for: so this runs where sessions have the
// tree, too.
constexpr std::string_view refresh_text = R"(set -eu
umask 022
export GIT_DIR="$1/.git" GIT_WORK_TREE="$1"
cd "$1"
git='git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.untrackedCache=false -c core.splitIndex=false'
# Status 1: files that git sees as changed as soon as they are checked out (line ends that disagree with .gitattributes). They are so in every clone.
$git update-index -q --refresh || test $? -eq 1
missing=$($git ls-files --deleted | head -n 5)
if [ -n "$missing" ]; then
    echo "these files could not be checked out, among others:" >&2
    printf '%s\n' "$missing" >&2
    exit 1
fi
git='git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.splitIndex=false'
$git update-index --force-untracked-cache
$git status --porcelain >/dev/null
)";

// git trusts an index entry whose file is older than the index (racy-git.adoc): so the index is made newer,
// by more than a tick of the file system's clock, once all files are there.
constexpr std::string_view fill_text = R"(set -eu
umask 022
export GIT_DIR="$1/.git" GIT_WORK_TREE="$1"
cd "$1"
git='git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.splitIndex=false'
$git -c checkout.workers=2 read-tree --reset -u "$2"
[ ! -d /run/scad/include ] || find /run/scad/include -mindepth 1 -maxdepth 1 -exec cp -a -t . {} +
$git update-index -q --refresh || test $? -eq 1
missing=$($git ls-files --deleted | head -n 5)
if [ -n "$missing" ]; then
    echo "these files could not be checked out, among others:" >&2
    printf '%s\n' "$missing" >&2
    exit 1
fi
$git update-index --force-untracked-cache
$git status --porcelain >/dev/null
sleep 0.02
cp .git/index .git/index.new
mv .git/index.new .git/index
)";

} // namespace

std::vector<std::string> checkout_environment() {
    return {"PATH=/usr/bin:/bin",       "HOME=/nonexistent",     "LC_ALL=C.UTF-8",
            "GIT_CONFIG_NOSYSTEM=1",    "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null",
            "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1",   "GIT_OPTIONAL_LOCKS=1"};
}

std::vector<std::string> checkout_argv(const std::string& work_tree, const std::string& commit) {
    return {"/bin/sh", "-c",  std::string(checkout_text), "checkout", std::string(checkout_git),
            work_tree, commit};
}

std::vector<std::string> fill_argv(const std::string& work_tree, const std::string& commit) {
    return {"/bin/sh", "-c", std::string(fill_text), "fill", work_tree, commit};
}

std::vector<std::string> refresh_argv(const std::string& work_tree) {
    return {"/bin/sh", "-c", std::string(refresh_text), "refresh", work_tree};
}

} // namespace scad::workspace
