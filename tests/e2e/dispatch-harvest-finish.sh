#!/usr/bin/env bash
# Would catch: shorthand that does not do what the commands it stands for do: sessions without their job, work that is not fetched or not saved, a failure that is not told.
. "$(dirname "$0")/../support/world.sh"

make_project
code_before=$(host_state "$code")

# dispatch: builds, starts, injects, and says what to do next.
expect_exit 0 git scad dispatch atlas -- sh -c 'echo $SCAD_SESSION >result && git add result && git commit -qm "result of $SCAD_SESSION" && echo more >draft'
expect_same atlas-1:1 "$(<"$out")"
expect_match '^hint: .*git scad harvest atlas-1' "$err"
expect_exit 0 git -C / scad dispatch atlas -n 3 --name loader -- sh -c 'test $SCAD_SESSION != loader-2 && echo $SCAD_SESSION >result && git add result && git commit -qm work'
expect_same "loader-1:1 loader-2:1 loader-3:1" "$(xargs <"$out")"
expect_exit 0 git -C "$docs" scad dispatch --name here -- true
expect_same here:1 "$(<"$out")"

# --wait streams and tells how it ended.
expect_exit 0 git scad dispatch atlas --name waited --wait -- echo "I am here"
expect_match 'I am here' "$out"
expect_exit 1 git scad dispatch atlas --name two -n 2 --wait -- false
expect_match '^error: two-1:1 failed' "$err"
expect_match '^error: two-2:1 failed' "$err"

# Mistakes start no session.
sessions=$(git scad session list --porcelain | wc -l)
expect_exit 128 git scad dispatch atals words
expect_match 'atlas' "$err"
expect_exit 128 git scad dispatch atlas "some words" # no claude here
expect_match 'claude' "$err"
expect_exit 129 git scad dispatch atlas -m one -F two
expect_exit 129 git scad dispatch atlas --timeout soon -- true
expect_exit 128 git scad dispatch atlas --name here -- true
expect_exit 128 git scad dispatch atlas -i words
expect_same "$sessions" "$(git scad session list --porcelain | wc -l)"

# harvest: waits, fetches, sums up.
git scad dispatch -q atlas --name slow -- sh -c 'sleep 1; echo late >late; git add late; git commit -qm late' >/dev/null
expect_exit 0 git scad harvest slow atlas-1
expect_same late "$(git -C "$code" show scad/slow:late)"
expect_same atlas-1 "$(git -C "$code" show scad/atlas-1:result)"
expect_same more "$(git -C "$code" show refs/scad-session/atlas-1/wip:draft)"
expect_match 'atlas-1' "$out"
expect_match 'slow' "$out"
expect_match '1 commit' "$out"
expect_exit 1 git scad harvest 'loader-*'
expect_same "done failed done" "$(sed -n 's/^  job 1 \([a-z]*\) .*/\1/p' "$out" | xargs)"
for n in 1 3; do expect_same "loader-$n" "$(git -C "$code" show "scad/loader-$n:result")"; done
expect_same live "$(git scad session list --porcelain slow | cut -f3)"

# finish: harvest, then rm. Whole names only; a failed job does not keep a session.
expect_exit 128 git scad finish 'loader-*'
expect_exit 128 git scad finish load
git scad session exec loader-1 -- sh -c 'echo after the job >unsaved'
git scad session stop -q loader-3
expect_exit 1 git scad finish loader-1 loader-2 loader-3
expect_same "" "$(git scad session list --porcelain 'loader-*' 2>/dev/null || true)"
expect_same "after the job" "$(git -C "$code" show refs/scad-session/loader-1/wip:unsaved)"
for n in 1 2 3; do expect_match "^loader-$n " "$(git scad session list --trash)"; done
expect_exit 0 git scad finish --purge slow here
expect_exit 128 git scad session undelete slow
expect_same late "$(git -C "$code" show scad/slow:late)"
# What cannot be saved keeps its session, unless it is forced.
mv "$code" "$code.away"
expect_exit 128 git scad finish waited
expect_match '^waited' "$(git scad session list --porcelain)"
expect_exit 1 git scad finish -f waited
mv "$code.away" "$code"
git scad session undelete -q waited

expect_same "$code_before" "$(host_state "$code")"
