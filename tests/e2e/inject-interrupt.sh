#!/usr/bin/env bash
# Would catch: Ctrl-C that ends a job on a terminal where it should detach, that leaves one running where nobody can see it, or that leaves the terminal without a word.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
state_of() { git scad job list --porcelain alpha | tail -n 1 | cut -f4; }
running() { git scad session exec alpha -- pgrep -f "$1"; }

# Without a terminal SIGINT cancels.
# (The shell has what it starts in the background ignore SIGINT; and git itself would end by it.)
perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' git-scad inject alpha -- sh -c 'echo begun; exec sleep 961' >"$out" 2>"$err" &
inject=$!
wait_for 5 grep -q begun "$out"
kill -INT $inject
status=0
wait $inject || status=$?
expect_same 143 "$status"
expect_match 'cancelling the job' "$err"
expect_same cancelled "$(state_of)"
running 'sleep 961' && fail "the job goes on"

# On a terminal: the screen is what is asked for, and a key is what asks.
cat >terminal.py <<'PYTHON'
"""terminal.py <what to wait for> <seconds between> <number of Ctrl-C> <command…>: the command on a terminal of its own; what it shows, then its status."""
import os, pty, select, sys, time
wanted, pause, keys, command = sys.argv[1].encode(), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)
shown, due = b"", None
while True:
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    if due is None and wanted in shown:
        due = time.monotonic()
    if due is not None and keys and time.monotonic() >= due:
        os.write(terminal, b"\x03")
        keys, due = keys - 1, time.monotonic() + pause
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown.replace(b"\r", b""))
print(f"[exit {os.waitstatus_to_exitcode(status) % 256}]")
PYTHON

# The first one detaches. (git gets the key, too: it passes SIGINT on once more, and ends by it when all is done.)
python3 terminal.py begun 1 1 git scad inject alpha -- sh -c 'echo begun; exec sleep 962' >shown
expect_match '^\[exit 254\]$' shown
expect_match 'detached; the job goes on' shown
expect_match 'git scad job logs -f alpha:2' shown
expect_same running "$(state_of)"
running 'sleep 962' >/dev/null || fail "the job is gone"
# Whoever follows it may leave, too.
python3 terminal.py begun 1 1 git scad job logs -f alpha >shown
running 'sleep 962' >/dev/null || fail "leaving job logs -f ended the job"
git scad job cancel -q alpha:2
git scad job wait -q alpha || true
running 'sleep 962' && fail "the job goes on"

# A second one within two seconds cancels.
python3 terminal.py begun 0.5 2 git-scad inject alpha -- sh -c 'echo begun; exec sleep 963' >shown
expect_match '^\[exit 143\]$' shown
expect_match 'cancelling the job' shown
expect_same cancelled "$(state_of)"
running 'sleep 963' && fail "the job goes on"

# A job that takes SIGTERM for nothing does not keep whoever cancels it.
python3 terminal.py begun 0.3 2 git-scad inject alpha -- sh -c 'trap "" TERM; echo begun; while :; do sleep 0.2; done' >shown
expect_match '^\[exit 137\]$' shown
expect_same cancelled "$(state_of)"

# A killed caller leaves the job to itself.
git-scad inject alpha -- sh -c 'echo begun; sleep 1; echo ended >/tmp/ended' >killed 2>&1 &
inject=$!
wait_for 5 grep -q begun killed
kill -KILL $inject
wait $inject || true
expect_exit 0 git scad job wait alpha
expect_same ended "$(git scad session exec alpha -- cat /tmp/ended)"
# A closed reader ends the caller, not the job.
git scad inject alpha -- sh -c 'for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.1; done; echo late >/tmp/late' | head -n 1 >/dev/null || true
git scad job wait -q alpha
expect_same late "$(git scad session exec alpha -- cat /tmp/late)"
