#!/usr/bin/env bash
# Would catch: a fetch, killed at any moment, after which the next one fails, brings less, or finds the quarantine broken; a sandbox that outlives it.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"

make_project
start alpha
# Enough that there is something to be in the middle of.
inside alpha code 'for n in 1 2 3 4 5 6 7 8 9; do head -c 300000 /dev/urandom >"big.$n"; git add .; git commit -qm "$n"; git branch "b$n"; done'

fetch() { git-scad code fetch -q alpha; }
n=0
for life in live stopped; do
    [[ $life == live ]] || git scad session stop -q alpha
    commit alpha code alpha "$life" >/dev/null
    [[ $life == live ]] || git scad session stop -q alpha
    took=$(milliseconds fetch)
    for ((step = 0; step <= 7; ++step)); do
        # New work each time, so that there is something to fetch.
        id=$(commit alpha code alpha "$life-$step")
        [[ $life == live ]] || git scad session stop -q alpha
        if ((step % 2)); then
            # The helper alone: git tells of it, and nothing is half written.
            git -C "$code" fetch -q scad/alpha >"$out" 2>"$err" &
            fetching=$!
            sleep "0.$(printf %03d $((took * step / 14)))"
            for pid in $(pgrep -x git-remote-scad); do
                grep -qzF "$trash" "/proc/$pid/environ" 2>/dev/null && kill -KILL "$pid"
            done
            wait $fetching || true
        else
            kill_after $((took * step / 7)) git-scad code fetch -q alpha
            # The git that it started may be about to end; a lock of git's own is git's.
            wait_for 20 bash -c "! pgrep -u \$UID -f 'fetch.*scad::[a]lpha'"
        fi
        expect_exit 0 git scad code fetch alpha
        expect_tip "$code" scad/alpha "$id"
        expect_tip "$code" scad/alpha/b9 "$(inside alpha code 'git rev-parse b9')"
        [[ $life == live ]] || git scad session stop -q alpha
        n=$((n + 1))
    done
    git -C "$code" fsck --strict --no-dangling >&2
    git --git-dir="$state/sessions/alpha/repos/code/quarantine.git" fsck --no-dangling >&2
done
git scad session stop -q alpha
no_process_left || fail "something still runs"
expect_same "" "$(find "$state/sessions/alpha/repos/code/quarantine.git" "$code/.git" -name '*.lock' -o -name 'tmp_pack_*' -o -name '.tmp-*')"
