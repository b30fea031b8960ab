#!/usr/bin/env bash
# Would catch: a job that goes on beyond its time, that is ended though it is not idle, or whose end does not name the limit.
. "$(dirname "$0")/../support/world.sh"

make_project '[limits]' 'time = "2s"' 'pids = 60' 'memory = "300MiB"'
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
state_of() { git scad job list --porcelain alpha | tail -n 1 | cut -f4; }

expect_exit 143 git scad inject alpha --timeout 1s -- sleep 600
expect_match 'timeout.*time limit of 1s exceeded' "$err"
expect_same timeout "$(state_of)"
# The project's, where the command says nothing; and the command's goes before it.
expect_exit 143 git scad inject alpha -- sleep 600
expect_match 'time limit of 2s exceeded' "$err"
expect_exit 0 git scad inject alpha --timeout 10s -- sleep 2.5
# Whoever takes SIGTERM for nothing is ended all the same, with all that it started.
start=$SECONDS
expect_exit 137 git scad inject alpha --timeout 1s -- sh -c 'trap "" TERM; sleep 600 & while :; do sleep 1; done'
[[ $((SECONDS - start)) -lt 15 ]] || fail "it took $((SECONDS - start)) s"
expect_same "" "$(git scad session exec alpha -- pgrep -a sleep || true)"
# A job that ends in its grace time did not end well.
expect_exit 1 git scad inject alpha --timeout 1s -- sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
expect_same timeout "$(state_of)"

expect_exit 143 git scad inject alpha --timeout 20s --idle 1s -- sh -c 'echo begun; sleep 600'
expect_match 'timeout.*idle limit of 1s exceeded' "$err"
expect_same timeout "$(state_of)"
expect_exit 0 git scad inject alpha --timeout 20s --idle 1s -- sh -c 'for n in 1 2 3 4 5 6; do echo $n; sleep 0.4; done'
expect_exit 0 git scad inject alpha --timeout 20s --idle 1s -- sh -c 'for n in 1 2 3 4; do echo $n >&2; sleep 0.4; done'

# More processes than allowed, more memory than allowed.
expect_exit 0 git scad inject alpha --timeout 20s -- sh -c '
    n=0; while test $n -lt 100 && (sleep 5 & ) 2>/dev/null; do n=$((n + 1)); done; test $n -lt 60'
expect_exit 137 git scad inject alpha --timeout 20s -- perl -e '$x = "x" x (1 << 20); push @all, $x . $_ for 1 .. 2000; sleep 20'
expect_match 'memory' "$err"
expect_same failed "$(state_of)"
expect_exit 0 git scad inject alpha -- true
expect_exit 0 git scad session show alpha
for limit in 'memory +300 MiB' 'pids +60 ' 'time|shm'; do expect_match "$limit" "$out"; done
