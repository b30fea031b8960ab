#!/usr/bin/env bash
# Would catch: a session that dies with its supervisor or its sandbox: work that is gone, a job that seems to run for ever, an agent that goes on unseen, a session that cannot be resumed.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"

make_project
start alpha
state_of() { git scad session list --porcelain alpha | cut -f3; }
jobs() { git scad job list --porcelain alpha | cut -f4 | xargs; }
inside alpha code 'echo one >committed; git add committed; git commit -qm one; echo two >uncommitted; echo three >staged; git add staged'
git scad inject -q alpha -- echo "a job that ended"
git scad inject -q -d alpha -- sh -c 'echo before; exec sleep 600' >/dev/null
git scad inject -q -d alpha -- sh -c 'setsid sleep 601 & echo more >>uncommitted; exec sleep 602' >/dev/null
wait_for 5 inside alpha code 'grep -q more uncommitted'
git scad inject alpha -- sleep 603 >foreground 2>foreground-err &
foreground=$!
wait_for 5 bash -c 'git scad job list --porcelain alpha | grep -q "^alpha	4	command	running"'

# All that ran in it is gone at once, and every command says so.
supervisor=$(supervisor_of alpha)
kill -KILL "$supervisor"
status=0
wait $foreground || status=$?
[[ $status -ne 0 ]] || fail "a foreground inject took the end of its session for success"
expect_match 'alpha:4 lost|lost' foreground-err
wait_for 5 bash -c "! pgrep -u \$UID -f 'sleep 60[0123]'"
no_process_left || { our_processes | xargs -r ps -fp >&2; fail "something of a lost session goes on"; }
expect_same lost "$(state_of)"
expect_same "done lost lost lost" "$(jobs)"
expect_exit 1 git scad job wait alpha:2
expect_match 'alpha:2 lost.*the session ended under it' "$err"
expect_exit 0 git scad job show alpha:3
expect_match '^state: +lost' "$out"
expect_same before "$(git scad job logs alpha:2)"
expect_same "before" "$(git scad job logs -f alpha:2 2>/dev/null)"
expect_match '^alpha	lost	code	' "$(git scad status --porcelain)"
expect_exit 0 git scad status
expect_match 'lost' "$out"
# A fetch needs no supervisor.
git -C "$code" fetch -q scad/alpha
expect_same one "$(git -C "$code" show scad/alpha:committed)"

# resume goes on: work is whole, records as well.
expect_exit 0 git scad session resume alpha
expect_match "which was lost" "$err"
expect_same live "$(state_of)"
expect_same "one two more three" "$(inside alpha code 'echo $(cat committed uncommitted) $(git show :staged)')"
expect_same "done lost lost lost" "$(jobs)"
expect_exit 0 git scad inject alpha -- echo again
expect_match '^alpha	5	' "$(git scad job list --porcelain alpha | tail -n 1)"
inside alpha code 'git fsck --strict --no-dangling'

# At any moment of work that commits, edits and is saved; by the next command that needs it.
for pause in 30 60 90 150 250 400; do
    git scad inject -q -d alpha -- sh -c '
        n=0; while :; do n=$((n + 1)); echo $n >counted; git add counted; git commit -qm "$n"; echo $n >told.tmp; mv told.tmp told; done' >/dev/null
    git scad inject -q alpha -- true & # its end takes a snapshot
    sleep "0.$(printf %03d $pause)"
    kill_supervisor alpha
    wait $! || true
    wait_for 5 no_process_left
    expect_exit 0 git scad session exec alpha -- true
    expect_match "resumed session 'alpha', which was lost" "$err"
    # (What git itself left locked when it was killed is for git's user.)
    inside alpha code 'rm -f .git/*.lock .git/refs/heads/*.lock .git/refs/scad/*.lock; git fsck --no-dangling
        test ! -e told || test "$(cat told)" -le "$(git show HEAD:counted)"'
    inside alpha code 'git reset -q; git checkout -q -- counted 2>/dev/null || true'
    expect_same "two more" "$(inside alpha code 'echo $(cat uncommitted)')"
    expect_exit 0 git scad session snapshot -q alpha
    git -C "$code" fetch -q scad/alpha
    expect_same "$(inside alpha code 'git rev-parse HEAD')" "$(git -C "$code" rev-parse scad/alpha)"
done

# The sandbox from outside: what made it, its process 1, what keeps it.
sandbox_processes() { pgrep -P "$(supervisor_of alpha)" | while read -r pid; do echo "$pid"; pgrep -P "$pid" || true; done; }
for which in 1 2; do
    git scad session resume -q alpha
    git scad inject -q -d alpha -- sleep 604 >/dev/null
    wait_for 5 pgrep -u $UID -f 'sleep 604'
    victim=$(sandbox_processes | sed -n "${which}p")
    [[ -n $victim ]] || fail "no process $which of the sandbox"
    kill -KILL "$victim"
    wait_for 10 bash -c 'test "$(git scad session list --porcelain alpha | cut -f3)" = lost'
    wait_for 5 no_process_left
    expect_same lost "$(git scad job list --porcelain alpha | tail -n 1 | cut -f4)"
    expect_exit 0 git scad session show alpha
    expect_match '^state: +lost: the sandbox ended' "$out"
    expect_exit 0 git scad session resume alpha
    expect_same "two more" "$(inside alpha code 'echo $(cat uncommitted)')"
done

# Asked nicely, as at a shutdown, it ends well.
git scad inject -q -d alpha -- sleep 605 >/dev/null
wait_for 5 pgrep -u $UID -f 'sleep 605'
inside alpha code 'echo at the shutdown >uncommitted'
kill -TERM "$(supervisor_of alpha)"
wait_for 15 bash -c 'test "$(git scad session list --porcelain alpha | cut -f3)" = stopped'
wait_for 5 no_process_left
expect_same cancelled "$(git scad job list --porcelain alpha | tail -n 1 | cut -f4)"
git -C "$code" fetch -q scad/alpha
expect_same "at the shutdown" "$(git -C "$code" show refs/scad-session/alpha/wip:uncommitted)"
