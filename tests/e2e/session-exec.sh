#!/usr/bin/env bash
# Would catch: exec that changes, loses or invents bytes of a command's input and output, its arguments or its status.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

expect_exit 0 git scad session exec alpha true
expect_exit 1 git scad session exec alpha -- false
expect_exit 42 git scad session exec alpha -- sh -c 'exit 42'
expect_exit 143 git scad session exec alpha -- sh -c 'kill -TERM $$'
expect_exit 137 git scad session exec alpha -- sh -c 'kill -KILL $$'
expect_exit 128 git scad session exec alpha -- no-such-program
expect_match 'no-such-program' "$err"
expect_exit 128 git scad session exec -w /no/such/place alpha -- true
expect_match "/no/such/place.*cannot enter" "$err"
expect_exit 129 git scad session exec alpha
expect_exit 129 git scad session exec -e NOVALUE alpha -- true

# Arguments arrive as they are: empty ones, spaces, newlines, options, another '--', no UTF-8.
expect_same $'[]\n[a  b]\n[c\nd]\n[-q]\n[--]\n[$HOME]\n[\xc3\xa4\x01]' "$(
    git scad session exec alpha -- printf '[%s]\n' '' 'a  b' $'c\nd' -q -- '$HOME' $'\xc3\xa4\x01')"
# What cannot arrive as it is does not arrive as something else.
expect_exit 129 git scad session exec alpha -- echo $'\xff'
expect_match 'is not UTF-8' "$err"
expect_same "x=1 2" "$(git scad session exec -e 'X=1 2' alpha -- sh -c 'echo "x=$X"')"
expect_same /tmp "$(git scad session exec -w /tmp alpha -- pwd)"

# 10 MiB of every byte, through and back, while standard error has its own.
head -c 10485760 /dev/urandom >random
git scad session exec alpha -- sh -c 'tee /tmp/copy; echo to stderr >&2' <random >back 2>back-err
cmp random back || fail "what came back differs"
expect_same "to stderr" "$(<back-err)"
expect_same "$(sha256sum <random)" "$(git scad session exec alpha -- sha256sum /tmp/copy | sed 's|/tmp/copy|-|')"
# Whoever reads only the beginning of it, or sends what nobody reads, is not kept.
expect_same y "$(head -n 1 < <(timeout 20 git scad session exec alpha -- yes || true))"
timeout 20 git scad session exec alpha -- true <random
timeout 20 git scad session exec alpha -- sh -c 'exec <&-; sleep 0.1' </dev/zero
# Escape sequences are the terminal's business only where one reads.
expect_same $'\e[31m' "$(git scad session exec alpha -- printf '\033[31m')"

# A signal reaches the command, and its end is told as that.
expect_exit 7 timeout --preserve-status -s INT 1 git-scad session exec alpha -- sh -c 'trap "exit 7" INT; while :; do sleep 0.05; done'
# A command that goes away leaves nothing behind.
git scad session exec alpha -- sh -c 'setsid sleep 987 >/dev/null 2>&1 </dev/null &'
wait_for 5 bash -c '! git scad session exec alpha -- pgrep -f "sleep 987"'
# Nor does one whose caller is killed.
git-scad session exec alpha -- sleep 986 &
caller=$!
wait_for 5 git scad session exec alpha -- pgrep -f 'sleep 986'
kill -KILL "$caller"
wait "$caller" || true
wait_for 5 bash -c '! git scad session exec alpha -- pgrep -f "sleep 986"'

# Side by side.
for n in 1 2 3 4 5 6; do git scad session exec alpha -- sh -c "sleep 0.2; echo $n" >"out.$n" & done
wait
expect_same "1 2 3 4 5 6" "$(cat out.? | xargs)"

# It is no job, and resumes what is stopped.
expect_same "" "$(git scad job list --porcelain alpha)"
git scad session stop -q alpha
expect_exit 3 git scad session exec alpha -- sh -c 'exit 3'
expect_match "resumed session 'alpha', which was stopped" "$err"
