#!/usr/bin/env bash
# Would catch: a session whose repos are not what a clone of the base would be (branch, tags, origin, identity, index), or that brings a password, a hook or a config of the host along.
. "$(dirname "$0")/../support/world.sh"

make_project '[environment]' 'env = { GREETING = "hello there", EMPTY = "" }' '[session]' 'branch = "work/{session}"'
git -C "$code" tag -a -m one v1
git -C "$code" commit -q --allow-empty -m "one more"
git -C "$code" branch other
git -C "$code" remote add origin https://jo:secret-word@example.org/code.git
git -C "$code" config core.fsmonitor "touch $trash/fsmonitor-ran"
git -C "$code" config alias.x "!touch $trash/alias-ran"
git -C "$code" config credential.helper "store --file $trash/credentials"
printf '#!/bin/sh\nexit 1\n' >"$code/.git/hooks/pre-commit"
chmod +x "$code/.git/hooks/pre-commit"
rm -f "$trash/fsmonitor-ran"
code_before=$(host_state "$code")
docs_before=$(host_state "$docs")

# Without a build there is nothing to start, and the answer is a command to paste.
expect_exit 128 git scad session start atlas alpha
expect_match "^fatal: the environment of project 'atlas' is not built" "$err"
expect_match "^hint: git scad build atlas" "$err"
expect_same "" "$(git scad session list --porcelain 2>&1)"

git scad build -q atlas
expect_exit 0 git -C / scad session start atlas alpha
expect_match "^hint: git scad inject alpha$" "$err" # with the editor, as git commit
expect_same alpha "$(<"$out")"
expect_match "session 'alpha' of project 'atlas'" "$err"
expect_match '/work/code: branch work/alpha from main' "$err"
expect_match 'limit: .*, by ' "$err"

in_code() { git scad session exec -w /work/code alpha -- "$@"; }
expect_same work/alpha "$(in_code git symbolic-ref --short HEAD)"
expect_same "$(git -C "$code" rev-parse main)" "$(in_code git rev-parse HEAD)"
expect_same "$(git -C "$code" rev-parse main)" "$(in_code git rev-parse origin/main)"
expect_same "$(git -C "$code" describe main)" "$(in_code git describe)"
expect_same https://example.org/code.git "$(in_code git config remote.origin.url)"
expect_same https://example.org/code.git "$(in_code git remote get-url --push origin)"
expect_same "A U Thor <author@example.com>" "$(in_code git config user.name) <$(in_code git config user.email)>"
expect_same "" "$(in_code git status --porcelain --ignored)"
expect_same "" "$(in_code git diff-index HEAD)" # the index is valid as it is: nothing was refreshed for that
# Nor does the first status read directories of the base tree: the index brings git's list of what is untracked in each.
[[ $layer == files ]] || expect_match ' \.+opendir:[0-9]+$' "$(in_code sh -c 'GIT_TRACE2_PERF=1 git status 2>&1')"
in_code sh -c 'test -d .git && test ! -L .git' || fail "the git directory is no plain directory"
expect_same "README.md" "$(in_code cat README.md)"
expect_no_match 'secret-word|fsmonitor|alias|credential' "$(in_code cat .git/config)"
expect_same "" "$(in_code sh -c 'ls .git/hooks | grep -v sample || true')"
# A commit works as it is, and no hook of the host's is in the way.
expect_same "A U Thor" "$(in_code sh -c 'git commit -q --allow-empty -m "inside" && git log -1 --format=%an')"

expect_same "hello there" "$(git scad session exec alpha -- sh -c 'printf %s "$GREETING"')"
expect_same "alpha /home/agent" "$(git scad session exec alpha -- sh -c 'echo $SCAD_SESSION $HOME')"
expect_same "" "$(git scad session exec alpha -- env | grep -E 'GIT_|XDG_|scad-test' || true)"
readme=$(git scad session exec alpha -- cat /work/README.md)
for word in /work/code /work/docs work/alpha; do expect_match "$word" "$readme"; done
expect_same "/work/code" "$(git scad session exec alpha -- pwd)"

# The host has a remote and refs, and is as it was otherwise.
expect_same "$(git -C "$code" rev-parse main)" "$(git -C "$code" rev-parse scad/alpha)"
expect_same refs/remotes/scad/alpha/work/alpha "$(git -C "$code" symbolic-ref refs/remotes/scad/alpha/HEAD)"
expect_same scad::alpha/code "$(git -C "$code" config remote.scad/alpha.url)"
expect_same "$code_before" "$(host_state "$code")"
expect_same "$docs_before" "$(host_state "$docs")"
for file in fsmonitor-ran alias-ran; do [[ ! -e $trash/$file ]] || fail "a program that the host's config names ran"; done
expect_same "" "$(grep -rlas secret-word "$state" || true)"

# A file that was changed on the host but is in no commit is not in a session.
echo changed >>"$code/README.md"
echo new >"$code/untracked"
git scad session start -q atlas beta >/dev/null
expect_same "" "$(git scad session exec beta -- sh -c 'git status --porcelain; ls untracked 2>/dev/null; grep changed README.md || true')"
# The base of a session is the host's HEAD of the moment.
git -C "$code" config --unset core.fsmonitor
rm "$code/.git/hooks/pre-commit"
git -C "$code" checkout -q other
git -C "$code" commit -q --allow-empty -m "on the other"
git scad session start -q atlas gamma >/dev/null
expect_same "on the other" "$(git scad session exec gamma -- git log -1 --format=%s)"
expect_same "$(git -C "$code" rev-parse other)" "$(git scad session exec gamma -- git rev-parse origin/other)"
