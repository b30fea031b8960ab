#!/usr/bin/env bash
# What would be caught: a session that fills the host's disk or memory, or its time, through a fetch.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin
git config --global scad.fetchLimit 4m

size_of() { { du -sk "$@" 2>/dev/null || :; } | awk '{ sum += $1 } END { print sum }'; }

# Many bytes, as they are and packed to almost nothing.
hostile bytes '
    git switch -q -c random
    head -c 12000000 /dev/urandom >random
    git add random
    git commit -q -m random
    git switch -q -c zeros HEAD~1
    truncate -s 40M zeros
    git add zeros
    git commit -q -m zeros
    git switch -q honest'
before=$(size_of "$code/.git" "$state/sessions/bytes/repos/code/quarantine.git")
git -C "$code" fetch scad/bytes 2>"$trash/told"
expect_tip "$code" scad/bytes/honest "$honest"
expect_tip "$code" scad/bytes/random ""
expect_tip "$code" scad/bytes/zeros ""
expect_match "refs/heads/random' does not come" "$trash/told"
expect_match "refs/heads/zeros' does not come: it holds a file above 4 MiB" "$trash/told"
for _ in 1 2 3; do git -C "$code" fetch -q scad/bytes 2>/dev/null || true; done
after=$(size_of "$code/.git" "$state/sessions/bytes/repos/code/quarantine.git")
[[ $((after - before)) -lt 8000 ]] || fail "what was refused is kept: $((after - before)) KiB more than before"
survive bytes

# 10^8 paths in a few small trees: nothing that is done by itself walks them all.
hostile bomb '
    id=$(echo x | git hash-object -w --stdin)
    kind="100644 blob"
    for level in 1 2 3 4 5 6 7 8; do
        id=$(for n in 0 1 2 3 4 5 6 7 8 9; do printf "%s %s\tn%s\n" "$kind" "$id" "$n"; done | git mktree)
        kind="040000 tree"
    done
    git update-ref refs/heads/deep "$(git commit-tree -p HEAD -m deep "$id")"'
command_limit=20
for command in "git -C $code fetch scad/bomb" "git scad code fetch bomb" "git scad code log bomb" "git scad status" "git scad session show bomb" \
    "git scad session snapshot bomb" "git scad session stop bomb" "git scad session rm bomb"; do
    # shellcheck disable=SC2086 # words
    on_host $command
done
expect_tip "$code" scad/bomb/honest "$honest"
[[ -n $(tip "$code" scad/bomb/deep) ]] || fail "the bomb did not arrive: nothing was tried"
[[ ! -d $state/sessions/bomb ]] || fail "the session cannot be removed"
no_damage bomb
