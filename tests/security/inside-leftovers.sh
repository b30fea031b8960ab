#!/usr/bin/env bash
# What would be caught: a process that goes on after the job which started it, unseen and unlimited.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

still() { # <file>: who writes it goes on
    local before
    [[ -e $1 ]] || return 1
    before=$(stat -c %s "$1")
    sleep 0.3
    [[ $(stat -c %s "$1") != "$before" ]]
}

for kind in child daemon hidden runner kill-leader stop-leader kill-all; do
    file=$state/sessions/alpha/tmp/$kind
    got=0
    git scad session exec alpha -- /tmp/probe linger "$kind" "/tmp/$kind" >/dev/null 2>&1 || got=$?
    [[ $got == 0 || $kind == kill-* || $kind == stop-* ]] || fail "$kind: status $got"
    ! still "$file" || fail "after the program of a client: '$kind' goes on"
    [[ $kind == kill-all || -s $file ]] || fail "'$kind' never went on"
    in_vain alpha others

    rm -f "$file"
    git scad inject -q alpha -- /tmp/probe linger "$kind" "/tmp/$kind" >/dev/null 2>&1 || true
    ! still "$file" || fail "after a job: '$kind' goes on"
    in_vain alpha others
done
expect_same "" "$(git scad job list --porcelain alpha | cut -f4 | grep -Ev 'done|failed' || :)"

# With the defence off: what a program leaves behind lives on, be it in a session of its own or not.
for kind in child daemon runner; do
    mkdir "$trash/$kind"
    "$probe" linger "$kind" "$trash/$kind/file"
    still "$trash/$kind/file" || fail "'$kind' does not go on without a sandbox"
    mv "$trash/$kind" "$trash/$kind.old" # it ends, as it cannot write
    wait_for 10 sh -c "! pgrep -u '$EUID' -f 'linge[r] $kind $trash'"
done

# A job that runs beside is not touched by the end of the other.
git scad inject -q -d alpha -- sh -c 'while :; do echo x >>/tmp/beside; sleep 0.05; done' >/dev/null
wait_for 10 test -s "$state/sessions/alpha/tmp/beside"
for kind in daemon kill-leader; do git scad session exec alpha -- /tmp/probe linger "$kind" "/tmp/$kind" >/dev/null 2>&1 || true; done
still "$state/sessions/alpha/tmp/beside" || fail "the end of one job ended another"
