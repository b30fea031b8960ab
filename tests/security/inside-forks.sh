#!/usr/bin/env bash
# What would be caught: a session that takes all processes of its user, or that cannot be stopped because it goes on making
# new ones.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside '[limits]' 'pids = 60'
begin_session beta

children_of() { (in_session "$1" /tmp/probe fill 500 || :) | sed -n 's/^children: //p'; }
in_vain alpha fill 500
count=$(children_of alpha)
[[ $count -gt 20 && $count -lt 60 ]] || fail "alpha made $count processes under a limit of 60"
works plain fill 500
in_vain alpha raise processes
in_vain alpha raise files
expect_match 'pids' "$(git scad session show alpha)"

# A bomb in one session is nothing to the other, nor to the host, and is ended with its job.
git scad inject -q -d alpha -- /tmp/probe bomb >/dev/null
full() { ! in_session alpha sh -c 'true | true'; }
wait_for 20 full
count=$(children_of beta)
[[ $count -gt 20 && $count -lt 60 ]] || fail "beside a bomb beta could make $count processes"
works plain fill 500
started=${EPOCHREALTIME/./}
git scad job cancel -q alpha:1
wait_for 10 sh -c 'git scad job list --porcelain alpha | cut -f4 | grep -qx cancelled'
wait_for 10 in_session alpha sh -c 'true | true'
alone() { ! in_session alpha /tmp/probe others; } # but for the snapshot that follows
wait_for 10 alone
echo "cancelled after $(((${EPOCHREALTIME/./} - started) / 1000)) ms" >&2

# The session stops in two seconds, whatever goes on in it; and twice more, with daemons and with runners that change
# their number all the time.
of_session() { { grep -lsaF "${trash##*/}/home/.local/state/scad/sessions/$1/" /proc/[0-9]*/mountinfo || :; } | wc -l; }
for bomb in '/tmp/probe bomb' \
    'for n in 1 2 3 4 5; do /tmp/probe linger runner /tmp/alive; /tmp/probe linger hidden /tmp/alive; done; sleep 100' \
    'trap "" TERM INT HUP; while :; do (sleep 100 & sleep 100); done'; do
    git scad inject -q -d alpha -- sh -c "$bomb" >/dev/null
    sleep 0.5
    [[ $(of_session alpha) -gt 2 ]] || fail "nothing runs"
    started=${EPOCHREALTIME/./}
    git scad session stop -q alpha
    took=$(((${EPOCHREALTIME/./} - started) / 1000))
    echo "stopped after $took ms: $bomb" >&2
    [[ $took -lt 2000 ]] || fail "stopping took $took ms: $bomb"
    expect_same 0 "$(of_session alpha)"
    git scad session resume -q alpha
done
# Of the same bomb outside of a sandbox no limit but the user's would hold it: that one is left out.
[[ $(ulimit -u) == unlimited || $(ulimit -u) -gt 500 ]] || fail "the host's own limit is too low to show anything"
