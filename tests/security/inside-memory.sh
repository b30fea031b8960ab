#!/usr/bin/env bash
# What would be caught: a session that takes more memory than it was given, in any way that memory can be had.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside '[limits]' 'memory = "200MiB"' 'shm = "64MiB"'
expect_match 'memory.*(watch|cgroup)' "$(git scad session show alpha)"
MiB=$((1024 * 1024))

# What nobody uses any more is nobody's, and so it goes.
in_vain alpha segment leave
at_end sh -c '"$1" segment remove >/dev/null; :' sh "$probe"
works plain segment leave

# Under it one can work.
for kind in private memfd sysv; do works alpha hog "$kind" $((64 * MiB)); done
works alpha hog shm $((48 * MiB))
in_session alpha rm /dev/shm/hog
# /dev/shm has its own bound, at once.
in_vain alpha hog shm $((128 * MiB))
expect_match 'ENOSPC' "$said"
in_session alpha rm /dev/shm/hog

# Over it the job ends, with the reason; the session goes on.
for kind in private memfd sysv; do
    "$probe" hog "$kind" $((400 * MiB)) >/dev/null || fail "the host itself cannot give that much: $kind"
    started=${EPOCHREALTIME/./}
    expect_exit 137 timeout 60 git scad inject alpha -- /tmp/probe hog "$kind" $((400 * MiB)) stay
    echo "$kind: $(((${EPOCHREALTIME/./} - started) / 1000)) ms" >&2
    expect_match 'memory limit' "$(cat "$out" "$err")"
    expect_match 'memory limit' "$(git scad job show alpha)"
    expect_same ok "$(in_session alpha echo ok)"
done
# So does a program of a client.
got=0
timeout 60 git scad session exec alpha -- /tmp/probe hog private $((400 * MiB)) stay >/dev/null 2>&1 || got=$?
expect_same 137 "$got"
