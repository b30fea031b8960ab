#!/usr/bin/env bash
# Would catch: starts at the same moment that give one name twice, spoil each other's remotes or refs, or leave something half made.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
code_before=$(host_state "$code")

# Five with one name, three without, from different directories.
for n in 1 2 3 4 5; do
    { cd / && git scad session start atlas same >"$trash/same.$n" 2>"$trash/same-err.$n" && echo "$n" >>"$trash/winners"; } &
done
for n in 1 2 3; do
    { cd "$docs" && git scad session start >"$trash/own.$n" 2>"$trash/own-err.$n" || echo "$n" >>"$trash/losers"; } &
done
wait
cd "$trash"
cat same-err.* own-err.* >all-errors
[[ ! -e losers ]] || { cat own-err.* >&2; fail "a start without a name failed"; }
expect_same 1 "$(wc -l <winners)"
expect_same same "$(cat same.[0-9])"
expect_same 4 "$(grep -c "^fatal: .*'same'" all-errors)"
expect_same "atlas-1 atlas-2 atlas-3" "$(cat own.[0-9] | sort | xargs)"

expect_same "atlas-1 live
atlas-2 live
atlas-3 live
same live" "$(git scad session list --porcelain | awk '{ print $1, $3 }')"
expect_same "" "$(find "$state/sessions" -mindepth 1 -maxdepth 1 ! -name 'atlas-[123]' ! -name same)"
for repo in "$code" "$docs"; do
    expect_same "scad/atlas-1 scad/atlas-2 scad/atlas-3 scad/same" "$(git -C "$repo" remote | xargs)"
    expect_same 1 "$(git -C "$repo" config --get-all include.path | wc -l)"
    expect_same 4 "$(git -C "$repo" for-each-ref 'refs/scad-session/*/base' | wc -l)"
    git -C "$repo" fsck --no-dangling >&2
done
expect_same "$code_before" "$(host_state "$code")"

# All work, at once.
for name in atlas-1 atlas-2 atlas-3 same; do
    git scad inject "$name" -- sh -c 'echo $SCAD_SESSION >name && git add name && git commit -qm $SCAD_SESSION' &
done
wait
git -C "$code" fetch -q scad/atlas-1 & git -C "$code" fetch -q scad/atlas-2 & git -C "$code" fetch -q scad/atlas-3 &
wait
git -C "$code" fetch -q scad/same
for name in atlas-1 atlas-2 atlas-3 same; do expect_same "$name" "$(git -C "$code" show "scad/$name:name")"; done

# Stop, resume and rm at once: each ends well or says why, and the end is one of the states that they lead to.
for n in 1 2 3; do
    { git scad session stop atlas-1 || git scad session resume atlas-1 || git scad session stop atlas-1; } >/dev/null 2>&1 &
    git scad session exec atlas-2 -- true >/dev/null 2>&1 &
    git scad session rm same >"$trash/rm.$n" 2>&1 &
done
wait
expect_same "atlas-1 atlas-2 atlas-3" "$(git scad session list --porcelain | cut -f1 | xargs)"
expect_same 1 "$(git scad session list --trash | grep -c '^same ')"
expect_exit 0 git scad session resume atlas-1
expect_same name "$(git scad session exec atlas-1 -- sh -c 'ls name')"
git scad session rm -q atlas-1 atlas-2 atlas-3
for repo in "$code" "$docs"; do
    expect_same "" "$(git -C "$repo" remote)"
    expect_same "" "$(git -C "$repo" config --get-all include.path || true)"
done
