#!/usr/bin/env bash
# What would be caught: a push to the branch that a session stands on which leaves its files behind, runs over work that
# is not committed, or is refused without the reason.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha

# The manual's recipe, word for word.
by_hand() { # <word>
    cd "$code"
    git fetch -q scad/alpha
    git worktree add -q ../x scad/alpha
    cd ../x
    echo "$1" >by-hand.txt
    mkdir -p src && echo "$1" >>src/main.txt
    git add by-hand.txt
    git commit -q -a -m "by hand: $1"
    expect_exit 0 git push scad/alpha HEAD:alpha
    fixed=$(git rev-parse HEAD)
    cd "$code"
    git worktree remove ../x
}

for life in live stopped; do
    [[ $life == live ]] || git scad session stop -q alpha
    before=$(host_state "$code")
    by_hand "$life"
    expect_same "$before" "$(host_state "$code")"
    git -C "$code" fetch -q scad/alpha
    expect_tip "$code" scad/alpha "$fixed"
    [[ $life == live ]] || git scad session resume -q alpha
    expect_same "$life" "$(inside alpha code 'cat by-hand.txt')"
    expect_same "" "$(inside alpha code 'git status --porcelain')"
done
# `status` tells of it without being asked to look.
wait_for 10 sh -c 'git scad status --json alpha | tr -d " \n" | grep -q "\"ahead\":2,"'
git -C "$code" worktree add -q --detach "$trash/y" "$fixed"
cd "$trash/y"
echo y >y.txt && git add y.txt && git commit -q -m y
y=$(git rev-parse HEAD)

# Uncommitted work stays as it is, in the files and in the index; untracked files that are in the way too. The reason is
# told.
for life in live stopped; do
    inside alpha code 'echo mine >>by-hand.txt'
    [[ $life == live ]] || git scad session stop -q alpha
    expect_exit 1 git push scad/alpha HEAD:alpha
    expect_match 'rejected.*[Ww]orking directory has unstaged changes' "$err"
    [[ $life == live ]] || git scad session resume -q alpha
    expect_same mine "$(inside alpha code 'tail -n 1 by-hand.txt')"
    inside alpha code 'git add by-hand.txt'
    [[ $life == live ]] || git scad session stop -q alpha
    expect_exit 1 git push scad/alpha HEAD:alpha
    expect_match 'rejected.*[Ww]orking directory has staged changes' "$err"
    [[ $life == live ]] || git scad session resume -q alpha
    inside alpha code 'git reset -q --hard; echo mine >y.txt'
    [[ $life == live ]] || git scad session stop -q alpha
    expect_exit 1 git push scad/alpha HEAD:alpha
    expect_match 'y.txt' "$err"
    expect_match 'rejected' "$err"
    [[ $life == live ]] || git scad session resume -q alpha
    expect_same "mine $fixed" "$(inside alpha code 'cat y.txt; git rev-parse HEAD; rm y.txt' | xargs)"
done

# What comes into a stopped session is saved with it, though a snapshot was taken at its stop.
git scad session stop -q alpha
git push -q scad/alpha HEAD:alpha
git scad session rm -q alpha
expect_tip "$code" refs/remotes/scad/alpha/alpha "$y"
