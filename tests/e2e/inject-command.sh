#!/usr/bin/env bash
# Would catch: a job whose status, output, order or end is told wrongly, jobs or sessions that get into each other's way, a job that leaves something running.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
git scad session start -q atlas beta >/dev/null
job() { git scad job list --porcelain "${1%:*}" | awk -F'\t' -v n="${1#*:}" '$2 == n'; }

# One session and a plain command: its own status, its own output.
expect_exit 0 git scad inject alpha -- echo 'a  b'
expect_same 'a  b' "$(<"$out")"
expect_exit 42 git scad inject alpha -- sh -c 'exit 42'
expect_exit 143 git scad inject alpha -- sh -c 'kill -TERM $$'
expect_exit 127 git scad inject alpha -- no-such-program
expect_match 'no-such-program' "$err"
expect_exit 0 git scad inject alpha -- sh -c 'echo out; echo err >&2'
expect_match '^out$' "$out"
expect_match '^err$' "$(git scad job logs alpha)"
expect_exit 0 git scad inject alpha -- cat </dev/zero # its input is empty, never the caller's
expect_same "" "$(<"$out")"
expect_exit 0 git scad inject alpha -- printf '\033]0;title\007\302\233x\n'
expect_no_match $'\e|\a|\xc2\x9b' "$out"

# Records.
job alpha:2 >record
expect_same $'alpha\t2\tcommand\tfailed\t42\tsh -c \'exit 42\'' "$(cut -f1-5,8- record)"
began=$(cut -f6 record) ended=$(cut -f7 record)
[[ $ended -ge $began && $began -gt $(($(date +%s) - 60)) ]] || fail "from '$began' to '$ended'"
expect_same "done 0" "$(job alpha:1 | cut -f4,5 | xargs)"
expect_same "failed 143" "$(job alpha:3 | cut -f4,5 | xargs)"

# Detached, and waited for.
expect_exit 0 git scad inject -d alpha -- sh -c 'until test -e /tmp/go; do sleep 0.05; done; exit 3'
name=$(<"$out")
expect_match '^alpha:[0-9]+$' "$name"
expect_match "^hint: git scad job logs -f $name" "$err"
expect_same running "$(job "$name" | cut -f4)"
expect_same "- -" "$(job "$name" | cut -f5,7 | xargs)"
git scad job wait "$name" 2>"$trash/waited" & waiter=$!
git scad session exec alpha -- touch /tmp/go
status=0
wait $waiter || status=$?
expect_same 1 "$status"
expect_match "^error: $name failed in [0-9]+s: exited with status 3" "$trash/waited"
expect_exit 1 git scad job wait alpha # of one that ended before
expect_exit 0 git scad job wait alpha:1

# Side by side in one session.
for n in 1 2 3 4; do
    git scad inject alpha -- sh -c "touch /tmp/here.$n; until test -e /tmp/here.1 -a -e /tmp/here.2 -a -e /tmp/here.3 -a -e /tmp/here.4; do sleep 0.05; done; echo $n; exit $n" >"side.$n" &
done
for n in 1 2 3 4; do wait -n || true; done
expect_same "1 2 3 4" "$(cat side.? | xargs)"

# Several sessions in one command: each line says whose it is, and 1 when one did not end well.
expect_exit 0 git scad inject alpha,beta -- sh -c 'echo I am $SCAD_SESSION'
expect_match '^alpha:[0-9]+ +│ I am alpha$' "$out"
expect_match '^beta:1 +│ I am beta$' "$out"
expect_exit 1 git scad inject 'alpha,beta' -- sh -c 'test $SCAD_SESSION = alpha || exit 9'
expect_match '^error: beta:2 failed in [0-9]+s: exited with status 9' "$err"
expect_exit 0 git scad inject -d '*' -- true
expect_same 2 "$(wc -l <"$out")"
expect_exit 0 git scad job wait alpha beta
expect_exit 128 git scad inject alpha,gamma -- true

# What a job leaves behind ends with it: in the background, in a session of its own, with its streams closed.
expect_exit 0 git scad inject alpha -- sh -c '
    sleep 971 & nohup sleep 972 >/dev/null 2>&1 &
    setsid sh -c "exec sleep 973 </dev/null >/dev/null 2>&1" &
    perl -e "exit if fork; setpgrp; \$SIG{HUP} = \$SIG{TERM} = q(IGNORE); exit if fork; exec qw(sleep 974)"
    sleep 0.2'
expect_same "" "$(git scad session exec alpha -- pgrep -a sleep || true)"
# But not what another job runs.
other=$(git scad inject -q -d alpha -- sleep 975)
wait_for 5 git scad session exec alpha -- pgrep -f 'sleep 975'
git scad inject alpha -- true
git scad session exec alpha -- pgrep -f 'sleep 975' >/dev/null || fail "a job ended another one"
git scad job cancel -q "$other"
expect_exit 1 git scad job wait "$other"
expect_match 'cancelled' "$err"

# The end of a job takes a snapshot, a fetch brings it.
git scad inject -q alpha -- sh -c 'echo uncommitted >>README.md; echo new >new.txt'
git scad job wait -q alpha
git -C "$code" fetch -q scad/alpha
expect_same new "$(git -C "$code" show refs/scad-session/alpha/wip:new.txt)"

# A stopped session is resumed, and that is said.
git scad session stop -q alpha
expect_exit 0 git scad inject alpha -- cat new.txt
expect_same new "$(<"$out")"
expect_match "resumed session 'alpha', which was stopped" "$err"
