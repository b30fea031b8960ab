#!/usr/bin/env bash
# Would catch: a job's log that fills the disk, is cut without a word, loses its beginning or its end; a secret that scad writes down.
. "$(dirname "$0")/../support/world.sh"

make_project '[agent]' 'use = "command"' 'env = ["TEST_TOKEN", "SHORT", "QUOTED"]'
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
expect_exit 128 git scad inject alpha -- true
expect_match "^fatal: .*'TEST_TOKEN'" "$err"
expect_match '^hint: export TEST_TOKEN=' "$err"
expect_same "" "$(git scad job list --porcelain alpha)"
export TEST_TOKEN=tok-0123456789abcdef SHORT=abc QUOTED='pass"wo\rd/8'

# 120 MiB as fast as they come, with a beginning and an end.
git scad inject -q -d alpha -- sh -c 'echo the beginning; head -c 125829120 /dev/zero | tr "\0" "x" | fold -w 99; echo; echo the end' >/dev/null
expect_exit 0 git scad job wait alpha
log=$state/sessions/alpha/jobs/1/output.log
size=$(stat -c %s "$log")
[[ $size -le $((100 * 1024 * 1024 + 1000)) && $size -ge $((90 * 1024 * 1024)) ]] || fail "a log of $size bytes"
expect_same "the beginning" "$(head -n 1 "$log")"
expect_same "the end" "$(tail -n 1 "$log")"
expect_same 1 "$(grep -ac '^\[scad: [0-9]* bytes are left out here\]$' "$log")"
left_out=$(grep -a '^\[scad: ' "$log" | tr -dc 0-9)
whole=$((14 + 8 + 125829120 + (125829120 + 98) / 99)) # a newline for each 99
marker=$(grep -a '^\[scad: ' "$log" | wc -c)
[[ $((size - marker - 1 + left_out - whole)) -ge -1 && $((size - marker - 1 + left_out - whole)) -le 1 ]] ||
    fail "$size - $marker + $left_out bytes are not $whole"
expect_same "the beginning" "$(head -n 1 < <(git scad job logs alpha || true))"

# Secrets: exact values are masked wherever scad writes, also across pieces and as JSON has them.
expect_exit 0 git scad inject alpha -- sh -c '
    test "${TEST_TOKEN#tok-}" = 0123456789abcdef && test "$SHORT" = abc || exit 1
    echo "whole: $TEST_TOKEN."
    printf "pieces: tok-01234"; sleep 0.2; echo 56789abcdef.
    echo "to stderr $TEST_TOKEN" >&2
    printf "{\"key\": \"%s\\\\\"%s\\\\\\\\rd/8\"}\n" pass wo
    printf "plain %s\n" "$QUOTED"
    echo "$TEST_TOKEN" | base64'
expect_match '^whole: .*\.$' "$out"
expect_no_match 'tok-0123456789abcdef|pass"wo|pass\\"wo' "$out"
expect_match '^pieces: ' "$out"
expect_same "TEST_TOKEN SHORT QUOTED" "$(git scad job show --json alpha |
    python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)["secrets"], key=["TEST_TOKEN", "SHORT", "QUOTED"].index))')"
found=$(grep -rlasF -e "$TEST_TOKEN" -e "$QUOTED" -e 'pass\"wo\\rd' "$state" "$XDG_CACHE_HOME" || true)
expect_same "" "$found"
# Nor can it be seen in an argument or in the environment of a process of scad's.
git scad inject -q -d alpha -- sh -c 'sleep 30' >/dev/null
wait_for 5 git scad session exec alpha -- pgrep sleep
for process in $(pgrep -f "scad-supervisor $state/sessions/alpha"); do
    expect_same "" "$(grep -aoF "$TEST_TOKEN" "/proc/$process/environ" "/proc/$process/cmdline" || true)"
done
# It is the job's, not the session's.
expect_same "" "$(git scad session exec alpha -- sh -c 'echo $TEST_TOKEN')"
git scad job cancel -q alpha
