#!/usr/bin/env bash
# Would catch: a status that counts wrongly, asks a sandbox, breaks the form that scripts read, or does not fit the terminal.
. "$(dirname "$0")/../support/world.sh"

expect_exit 0 git scad status
expect_match 'no sessions' "$err"
expect_same '{"sessions": [], "version": 1}' "$(git scad status --json | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin), sort_keys=True))')"
make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
git scad session start -q atlas a-session-with-a-long-name-of-39-chars >/dev/null
row() { git scad status --porcelain alpha | awk -F'\t' -v repo="$1" '$3 == repo' | cut -f2-; }

expect_same $'live\tcode\talpha\t0\t0\t0\t0\t0' "$(row code)"
git scad inject -q alpha -- sh -c '
    for n in 1 2 3; do git commit -q --allow-empty -m "$n"; done
    echo x >>README.md; touch new1 new2; echo ig >.git/info/exclude; touch ig'
git scad job wait -q alpha
# Three commits and what is uncommitted wait to be fetched; the ignored file is in no snapshot.
expect_same $'live\tcode\talpha\t3\t1\t2\t4\t1' "$(row code)"
expect_same $'live\tdocs\talpha\t0\t0\t0\t0\t0' "$(row docs)"
git -C "$code" fetch -q scad/alpha
expect_same $'live\tcode\talpha\t3\t1\t2\t0\t1' "$(row code)"
git scad inject -q alpha -- sh -c 'git commit -q -am four'
git scad job wait -q alpha
expect_same $'live\tcode\talpha\t4\t0\t2\t2\t1' "$(row code)"
git -C "$code" fetch -q scad/alpha
# Another branch, rewritten commits, a detached HEAD.
git scad inject -q alpha -- sh -c 'git switch -q -c topic HEAD~2 && git commit -q --allow-empty -m five && rm new1 new2'
git scad job wait -q alpha
expect_same $'live\tcode\ttopic\t3\t0\t0' "$(row code | cut -f1-6)"
[[ $(row code | cut -f7) -ge 1 ]] || fail "a new branch does not wait to be fetched"
git -C "$code" fetch -q scad/alpha
expect_same $'live\tcode\ttopic\t3\t0\t0\t0\t1' "$(row code)"
git scad inject -q alpha -- sh -c 'git switch -q --detach && git commit -q --allow-empty -m six'
git scad job wait -q alpha
expect_same $'live\tcode\t-\t4\t0\t0' "$(row code | cut -f1-6)"
[[ $(row code | cut -f7) -ge 1 ]] || fail "a detached commit does not wait to be fetched"
git -C "$code" fetch -q scad/alpha
expect_same $'live\tcode\t-\t4\t0\t0\t0\t1' "$(row code)"

# Right after the job's end, too: whoever asks waits for the snapshot.
for n in 1 2 3 4 5; do
    git scad inject -q alpha -- sh -c "cd /work/docs && echo $n >file.$n"
    expect_same "$n" "$(row docs | cut -f6)"
done

# --json says the same, and more.
git scad status --json >status.json
python3 - <<'PYTHON'
import json
status = json.load(open("status.json"))
assert status["version"] == 1
alpha = next(s for s in status["sessions"] if s["name"] == "alpha")
code, docs = alpha["repos"]
assert (code["repo"], code["ahead"], code["not_fetched"], code["not_saved"]) == ("code", 4, 0, 1), code
assert docs["untracked"] == 5 and docs["not_fetched"] == 1, docs
assert alpha["state"] == "live" and alpha["jobs"][-1]["state"] == "done", alpha
PYTHON

# No sandbox is asked: it works while the sandbox cannot answer, as quickly as ever, and when it is gone.
for pid in $(pgrep -f "scad-supervisor $state/sessions/alpha"); do kill -STOP "$pid"; done
start=${EPOCHREALTIME/./}
expect_exit 0 timeout 20 git scad status --porcelain
[[ $((${EPOCHREALTIME/./} - start)) -lt 2500000 ]] || fail "status waits for a session that does not answer"
expect_match $'^alpha\tlive\tcode\t' "$out"
expect_exit 0 timeout 20 git scad session list
for pid in $(pgrep -f "scad-supervisor $state/sessions/alpha"); do kill -KILL "$pid"; done
wait_for 5 bash -c 'test "$(git scad status --porcelain alpha | cut -f2 | sort -u)" = lost'
expect_same $'lost\tcode\t-\t4\t0\t0\t0\t1' "$(row code)"
# A host repo that is not there.
mv "$docs" "$docs.away"
expect_same - "$(git -C / scad status --porcelain alpha | awk -F'\t' '$3 == "docs" { print $8 }')"
mv "$docs.away" "$docs"

# Tables: on a terminal they fit it and have colours; where none reads they are whole and plain.
git scad inject -q alpha -- false || true
git scad job wait -q alpha || true
expect_exit 0 git scad status
expect_no_match $'\e' "$out"
expect_match 'SESSION +STATE +JOBS +REPO +BRANCH +AHEAD +CHANGES +FETCH +UNSAVED' "$out"
expect_match 'alpha:.*failed.*exited with status 1' "$out"
cat >columns.py <<'PYTHON'
"""columns.py <width> <command…>: what the command shows on a terminal that wide."""
import fcntl, os, pty, struct, sys, termios
width, command = int(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    os.environ.update(TERM="xterm", GIT_PAGER="cat")
    os.execvp(command[0], command)
shown = b""
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
sys.stdout.buffer.write(shown.replace(b"\r", b""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
for width in 80 200; do
    python3 columns.py $width git scad status >"shown.$width"
    sed 's/\x1b\[[0-9;]*m//g' "shown.$width" >plain
    widest=$(grep -E '^(SESSION|a)' plain | grep -v '^alpha:' | wc -L)
    [[ $widest -le $width ]] || { cat plain >&2; fail "$widest columns on a terminal of $width"; }
    expect_match '^alpha ' plain
    expect_match '^a-session-with-a-long-name-of-39-chars ' plain # whole, to be pasted
    expect_match $'\e\\[' "shown.$width"
done
# What can best be spared goes first.
expect_match 'BRANCH' shown.200
python3 columns.py 60 git scad status | sed "s/\x1b\[[0-9;]*m//g" >plain
expect_match '^a-session-with-a-long-name-of-39-chars .*live' plain
expect_no_match 'BRANCH|AHEAD' plain
git config --global color.ui false
python3 columns.py 80 git scad status >plain
expect_no_match $'\e' plain
expect_exit 128 git scad status --watch
expect_match 'not in this build yet' "$err"
expect_exit 129 git scad status --json --porcelain
