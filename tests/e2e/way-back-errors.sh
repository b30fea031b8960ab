#!/usr/bin/env bash
# What would be caught: git that hangs, or says nothing or something useless, when a session's remote cannot answer.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha beta

refused() { # <what stderr must match> <hint, or nothing> <command>…
    local words=$1 hint=$2
    shift 2
    expect_exit 128 timeout 30 "$@"
    expect_match "^fatal: .*($words)" "$err"
    [[ -z $hint ]] || expect_match "^hint: .*$hint" "$err"
    [[ ! -s $out ]] || fail "an error on standard output"
}

cd "$trash"
refused "no session named 'alhpa'" "alpha" git -C "$code" fetch scad::alhpa
refused "no session is named 'alph'" "alpha" git ls-remote scad::alph/code # a prefix is no name here
refused "has no repo 'cod'.*code, docs" "" git ls-remote scad::alpha/cod
refused "several repos: code, docs" "scad::alpha/code" git clone scad::alpha "$trash/clone"
refused "is no address of a session" "" git ls-remote scad::alpha/code/x
refused "is no address of a session" "" git ls-remote scad::
refused "no session named '\.\.'" "" git ls-remote scad::../code
[[ ! -e $trash/clone ]] || fail "a clone that failed left its folder"

# What the session's own repo lacks is git's to tell.
refused "couldn't find remote ref nosuch" "" git -C "$code" fetch scad/alpha nosuch

for life in live stopped; do
    # Its git directory broken by the session itself.
    inside alpha code 'mv .git/HEAD .git/objects /tmp'
    [[ $life == live ]] || git scad session stop -q alpha
    refused "cannot list the refs of 'code' in session 'alpha'" "git scad session exec alpha -- git -C /work/code" \
        git -C "$code" fetch scad/alpha
    refused "the session cannot be pushed to: .*git repository" "" git -C "$code" push scad/alpha main:new
    git -C "$docs" fetch -q scad/alpha # the other repo is whole
    inside alpha code 'mv /tmp/HEAD /tmp/objects .git'
    git -C "$code" fetch -q scad/alpha
done

# Without its base tree a session cannot start, but what it committed is there.
id=$(commit beta code beta work)
git scad session stop -q beta
chmod u+w "$state"
mv "$state/trees" "$trash/away"
expect_match "^beta	atlas	damaged" "$(git scad session list --porcelain)"
git -C "$code" fetch -q scad/beta
expect_tip "$code" scad/beta "$id"
mv "$trash/away" "$state/trees"

# A removed session: what came stays, its remote is gone, and the address tells how to get it back.
git scad session rm beta
expect_tip "$code" scad/beta "$id"
refused "does not appear to be a git repository" "" git -C "$code" fetch scad/beta
refused "session 'beta' was removed" "git scad session undelete beta" git ls-remote scad::beta/code
git scad session undelete beta
git -C "$code" fetch -q scad/beta

# The helper by hand.
expect_exit 129 git-remote-scad
expect_match '^fatal: ' "$err"
printf 'capabilities\nlist\n' >"$trash/asked"
expect_exit 128 bash -c 'git-remote-scad x scad::alpha/code <"$1"' x "$trash/asked"
expect_exit 0 git-remote-scad x scad::alpha/code </dev/null
