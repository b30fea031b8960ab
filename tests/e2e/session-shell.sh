#!/usr/bin/env bash
# Would catch: a shell in a session that is no login shell, not on a terminal of its own, does not follow the window's size,
# loses the exit status, leaves the user's terminal changed, or hands it what the session wrote as it is.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
TERM=xterm

# person <status> <command>…: standard input is what the person does. What the terminal got is in $said.
person() {
    local expected=$1 got=0
    shift
    python3 "$support/on_terminal.py" "$trash/said" "$@" >"$out" 2>"$err" || got=$?
    [[ $got == "$expected" ]] || fail "expected $expected, got $got: $*: $(cat -v "$err" "$trash/said" | tail -c 1500)"
    expect_same "terminal: as before" "$(tail -n 1 "$out")"
}

person 7 git scad session shell alpha <<'DO'
expect \$
send shopt login_shell; pwd; tty; stty size; echo "term $TERM"\r
expect login_shell\s+on
expect /work
expect /dev/pts/
expect 24 80
expect term xterm-256color
size 30 100
send stty size\r
expect 30 100
send sleep 100\r
expect sleep 100
send \x03
send echo "after $?"\r
expect after 130
send exit 7\r
DO
# Nobody else can use the terminal, and no descriptor of it is inside.
person 0 git scad session shell alpha -w /tmp <<'DO'
expect \$
send echo "ends=$(for n in 0 1 2; do readlink /proc/$$/fd/$n; done | sort -u | wc -l)"; pwd\r
expect ends=1
expect /tmp
send \x04
DO
person 143 git scad session shell alpha <<'DO'
expect \$
send kill -TERM $BASHPID; exec sh -c 'kill -TERM $$'\r
DO
# Killed from outside, the terminal is put back all the same, and nothing is left inside.
person 143 git-scad session shell alpha <<'DO'
expect \$
send sleep 977\r
expect sleep 977
signal SIGTERM
DO
wait_for 5 bash -c '! git scad session exec alpha -- pgrep -f "^sleep 977"'

# `exec` on a terminal when it is asked for.
person 3 git scad session exec -t alpha -- sh -c 'test -t 0 && test -t 1 && exit 3' </dev/null
person 5 git scad session exec alpha -- sh -c 'test -t 0 || test -t 1 || exit 5' </dev/null
expect_exit 128 git scad session exec -t alpha -- true
expect_match 'needs one' "$err"
# Without a terminal the shell reads a script.
expect_exit 4 git scad session shell alpha <<<'pwd; exit 4'
expect_same /work "$(<"$out")"
TERM=dumb person 128 git scad session shell alpha </dev/null

# It resumes what is stopped.
git scad session stop -q alpha
person 0 git scad session shell alpha <<'DO'
expect resumed session
expect \$
send exit\r
DO
