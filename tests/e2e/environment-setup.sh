#!/usr/bin/env bash
# Would catch: a setup step that sees more than its inputs or writes over what a repo tracks, one that is done again
# without need, tools that a session does not find, and what a step made missing in a session, or shared by two.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

make_tools 'stamp=echo "stamped with $1 on $(cat /proc/sys/kernel/random/uuid)"'
make_project '[environment]' "tools = [\"$tools\"]" 'env = { STAGE = "one" }' '[[environment.setup]]' \
    'run = "mkdir code/made /opt/scad/bin && stamp $STAGE >code/made/first && ls -A code docs . /home/agent /tmp >/opt/scad/seen && cp code/src/main.txt code/made/ && ln -s /bin/true /opt/scad/bin/own"' \
    'inputs = ["code/src"]' '[[environment.setup]]' 'run = "cat code/made/first docs/README.md >code/made/second; echo dropped >/tmp/x"' \
    'inputs = ["docs/README.md"]'
git -C "$code" config core.excludesFile /dev/null
commit_file "$code" .gitignore made/

expect_exit 128 git scad session start atlas alpha
expect_match "environment of project 'atlas' is not built" "$err"
expect_exit 0 git scad build atlas
expect_match '^\[1/2\] setup: mkdir .* [0-9.]+ s$' "$err"
expect_match '^\[2/2\] setup: cat .* [0-9.]+ s$' "$err"
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"
expect_exit 0 git scad session start -q atlas alpha
expect_exit 0 git scad session start -q atlas beta

# What the step saw: its inputs alone, and nothing of the host's.
expect_exit 0 in_session alpha cat /opt/scad/seen
expect_same $'.:\ncode\ndocs\n\n/home/agent:\n\n/tmp:\n\ncode:\nmade\nsrc\n\ndocs:' "$(<"$out")"
expect_exit 0 in_session alpha sh -c 'cat /work/code/made/second && stamp x && echo $STAGE && ls -l /opt/scad/bin/own && ls -d /opt/scad/agents'
expect_match '^stamped with one' "$out"
expect_match '^README.md$' "$out"
expect_match '^one$' "$out"
in_session alpha git -C /work/code status --porcelain >"$out"
expect_same "" "$(<"$out")"
expect_exit 1 in_session alpha test -e /work/code/made/dropped

# It is not the session's work, and nothing that it would lose.
expect_exit 0 git scad session snapshot alpha
expect_no_match 'no snapshot holds' "$err"
in_session alpha sh -c 'echo "*.log" >>/work/code/.git/info/exclude; echo x >/work/code/own.log'
expect_exit 0 git scad session snapshot alpha
expect_match 'no snapshot holds 1 ignored' "$err"
in_session alpha rm /work/code/own.log

# It is the session's own to change, and stays with it.
in_session alpha sh -c 'rm /work/code/made/first && echo new >/work/code/made/second && mv /work/code/made/main.txt /work/code/made/moved'
expect_exit 0 in_session beta cat /work/code/made/first /work/code/made/main.txt
in_session alpha true
git scad session stop -q alpha
git scad session resume -q alpha
expect_exit 0 in_session alpha cat /work/code/made/second
expect_same new "$(<"$out")"
expect_exit 1 in_session alpha test -e /work/code/made/first
expect_exit 1 in_session alpha sh -c 'echo x >/opt/scad/x || exit 1'

# Only what depends on the change is done again.
stamp=$(in_session beta cat /work/code/made/first)
commit_file "$docs" README.md changed
expect_exit 0 git scad build atlas
expect_match '^\[1/2\] setup: mkdir .* kept$' "$err"
expect_match '^\[2/2\] setup: cat .* s$' "$err"
expect_exit 0 git scad session start -q atlas gamma
expect_same "$stamp" "$(in_session gamma head -n 1 /work/code/made/first)"
expect_exit 0 in_session gamma tail -n 1 /work/code/made/second
expect_same changed "$(<"$out")"
# A commit that changes none of the inputs needs no build.
commit_file "$code" other.txt other
expect_exit 0 git scad session start -q atlas delta
expect_exit 0 in_session delta cat /work/code/other.txt
# A file that the repo tracks by now is the repo's.
commit_file "$code" .gitignore ""
commit_file "$code" made/first tracked
expect_exit 0 git scad session start -q atlas epsilon
expect_same tracked "$(in_session epsilon cat /work/code/made/first)"
git -C "$code" reset -q --hard HEAD~2

# Nothing may be written over a tracked file, seen or not; the same content is no change.
second() { # <command>: of the second step
    python3 - "$docs/.scad/atlas.toml" "$1" <<'END'
import json, re, sys
path, command = sys.argv[1:]
first, last = open(path).read().rsplit("run = ", 1)
open(path, "w").write(first + "run = " + json.dumps(command) + "\n" + last.split("\n", 1)[1])
END
    git -C "$docs" scad config trust --yes >/dev/null 2>&1
}
wrong() { # <command>
    second "$1"
    expect_exit 128 git scad build atlas
}
wrong 'echo x >>docs/README.md'
expect_match '^ +docs/README.md$' "$err"
wrong 'mkdir code/src; echo x >code/src/main.txt'
expect_match '^ +code/src/main.txt$' "$err"
wrong 'echo x >code/src'
expect_match '^ +code/src$' "$err"
wrong 'rm docs/README.md'
expect_match '^ +docs/README.md$' "$err"
wrong 'mkdir code/.git'
expect_match '^ +code/.git$' "$err"
second 'cp docs/README.md code/made/x; cp code/made/x docs/README.md; mkdir docs/empty'
expect_exit 0 git scad build atlas

# A step that fails is shown with its last lines, and nothing of it stays.
wrong 'seq 100; printf "\033[31mred\n"; exit 7'
expect_match 'exited with status 7' "$err"
expect_match '^ +100$' "$err"
expect_no_match '^ +80$' "$err"
expect_match '\^\[\[31mred' "$err"
log=$(sed -n "s/^hint: the whole log is '\(.*\)'$/\1/p" "$err")
expect_match '^1$' "$log"
expect_same "" "$(find "$state" -name '.tmp-*')"
