#!/usr/bin/env bash
# Would catch: a supervisor that does not answer any more and keeps its session from being stopped, removed or resumed.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"

make_project
start alpha
inside alpha code 'echo kept >uncommitted'
git scad inject -q -d alpha -- sleep 606 >/dev/null
kill -STOP "$(supervisor_of alpha)"
# What needs no answer has one.
expect_exit 0 timeout 10 git scad session list
expect_exit 0 timeout 10 git scad job list
started=${EPOCHREALTIME/./}
expect_exit 0 git scad session stop alpha
took=$(((${EPOCHREALTIME/./} - started) / 1000))
# Two seconds are promised, on a machine that does not run another test at the same time.
[[ $took -lt 5000 ]] || fail "stopping took $took ms"
expect_same stopped "$(git scad session list --porcelain alpha | cut -f3)"
wait_for 5 no_process_left
expect_same lost "$(git scad job list --porcelain alpha | cut -f4)"
expect_exit 0 git scad session resume alpha
expect_same kept "$(inside alpha code 'cat uncommitted')"
expect_exit 0 git scad session rm alpha
expect_same kept "$(git -C "$code" show refs/scad-session/alpha/wip:uncommitted)"
