#!/usr/bin/env bash
# What would be caught: code fetch, log and diff that leave out a repo, a session or the uncommitted work, show it in the
# wrong order, page or colour what no terminal reads; prune that takes more than its session's refs, or takes what is not saved.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha beta
before=$(host_state "$code")

# Anything that pages, colours or shells out is not wanted where no terminal reads.
git config --global core.pager 'sed s/^/paged:/'
git config --global color.ui auto
git config --global diff.external 'false'

expect_exit 0 git scad code log alpha
expect_match '^nothing$' "$out"
expect_exit 0 git scad code diff alpha
[[ ! -s $out ]] || fail "a difference where nothing was done"

a1=$(commit alpha code alpha first)
a2=$(commit alpha code side second)
commit alpha docs alpha words >/dev/null
b1=$(commit beta code beta other)
inside alpha code 'echo changed >>README.md; echo new >untracked.txt'
git scad session snapshot -q alpha beta

# Nothing has come yet, and the answer says so by showing nothing of it.
expect_exit 0 git scad code log alpha
expect_no_match 'first' "$out"

expect_exit 0 git scad code fetch
expect_tip "$code" scad/alpha "$a1"
expect_tip "$code" scad/alpha/side "$a2"
expect_tip "$code" scad/beta "$b1"
[[ -n $(tip "$docs" scad/alpha) ]] || fail "docs did not come"
expect_exit 0 git scad code fetch alpha beta
expect_match 'nothing new' "$err"

expect_exit 0 git -C / scad code log alpha beta
log=$(<"$out")
for words in 'alpha/code' "${a1:0:7} first" "${a2:0:7} second" 'alpha/docs' 'words' 'beta/code' "${b1:0:7} other" 'beta/docs'; do
    expect_match "$words" "$log"
done
# By session and repo; what is not committed comes last of each.
line=0
for words in '^alpha/code' 'first' '^uncommitted work' '^alpha/docs' 'words' '^beta/code' 'other' '^beta/docs' '^nothing'; do
    next=$(grep -nE -m 1 -e "$words" <<<"$log" | cut -d: -f1)
    [[ $next -gt $line ]] || fail "'$words' stands in the wrong place:"$'\n'"$log"
    line=$next
done
expect_match 'untracked.txt' "$log"

expect_exit 0 git scad code diff alpha
expect_match '^\+first$' "$out"
expect_match '^\+words$' "$out"
expect_match '^\+changed$' "$out"
expect_match '^\+new$' "$out"
expect_no_match 'other' "$out"
[[ $(grep -an '^+first' "$out" | cut -d: -f1) -lt $(grep -an '^+changed' "$out" | cut -d: -f1) ]] ||
    fail "uncommitted work does not come last"
expect_exit 0 git scad code diff alpha -- README.md
expect_match '^\+changed$' "$out"
expect_no_match 'first' "$out"
expect_exit 0 git scad code diff --name-only alpha
expect_match '^first.txt$' "$out"
expect_exit 0 git scad code diff --stat alpha beta
expect_match 'other.txt' "$out"
expect_exit 0 git scad code log --patch alpha
expect_match '^\+first$' "$out"
expect_exit 0 git scad code log -n 1 alpha
expect_no_match $'\x1b|^paged:' "$log"

# On a terminal it is paged and coloured.
expect_exit 0 env TERM=xterm script -qec 'git scad code log alpha' /dev/null
expect_match 'paged:' "$out"

expect_same "$before" "$(host_state "$code")"
expect_exit 128 git scad code log nosuch
expect_match "no session named 'nosuch'" "$err"

# What was fetched stays when the session goes, and can be looked at, until it is pruned.
git scad session rm -q alpha
expect_exit 0 git scad code log alpha
expect_match 'first' "$out"
expect_exit 0 git scad code prune alpha
expect_same "" "$(git -C "$code" for-each-ref refs/remotes/scad/alpha refs/scad-session/alpha)"
expect_tip "$code" scad/beta "$b1"
expect_same "$before" "$(host_state "$code")"
