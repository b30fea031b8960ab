#!/usr/bin/env bash
# Would catch: wrong usage that does something all the same, is not told from a failure by its status, or is left without a word of what is right.
. "$(dirname "$0")/../support/world.sh"

# 129, on standard error, with the usage of the command.
wrong() { # <what stderr must match> <argument of scad>…
    local words=$1
    shift
    expect_exit 129 git-scad "$@"
    [[ ! -s $out ]] || fail "wrong usage is told on standard output: $*"
    expect_match "$words" "$err"
}
wrong "did you mean 'status'|git scad status" stauts
wrong "session start" start
wrong "did you mean 'start'|session start" session strat
wrong 'git scad -h' no-such-thing-at-all
wrong 'usage: git scad session start' session start --no-such-option
wrong 'usage: git scad session show' session show
wrong 'usage: git scad session show' session show one two
wrong 'usage: git scad inject' inject
wrong '--nonsense' --nonsense status
wrong "'-C'" -C
wrong 'usage: ' job wait
wrong 'usage: ' session stop
wrong '.' session list --porcelain --json
wrong '.' job list --json -z
wrong '.' dispatch -n
wrong '.' session exec alpha
wrong '.' demo --agent nobody
wrong '.' session list -x
wrong 'usage: git scad' session
wrong 'usage: git scad'

# Help is what git's commands give: 129 for -h on standard output, the manual or the same for --help.
for command in "" session "session start" inject status "job list" dispatch demo doctor; do
    # shellcheck disable=SC2086 # words
    expect_exit 129 git-scad $command -h
    expect_match '^usage: git scad' "$out"
    [[ ! -s $err ]] || fail "help on standard error"
    awk -v most=110 'length > most { print; bad = 1 } END { exit bad }' "$out" >&2 || fail "help of '$command' is wider than a page"
done
expect_exit 0 git-scad inject --help
expect_match '[Ii]nject|INJECT' "$out"
expect_exit 0 git scad version
expect_match '^(git-)?scad(,)? (version )?[0-9]+\.' "$out"
expect_exit 0 git-scad --version

# -C, -q and -v, before and after the command.
make_project
expect_exit 0 git scad -C "$docs" config check
expect_exit 0 git scad config check -C "$docs"
expect_exit 128 git scad -C "$trash/none" status
expect_match "^fatal: cannot change to '$trash/none'" "$err"
git scad -q build atlas
expect_exit 0 git scad -q session start atlas alpha
expect_no_match 'hint|session .alpha. of' "$err"
expect_same alpha "$(<"$out")"

# Output that cannot be written is an error; a reader that has gone is none.
expect_exit 128 bash -c 'git-scad session list --porcelain >/dev/full'
expect_match '^fatal: ' "$err"
bash -c 'set -o pipefail; git-scad session list | true' || [[ $? -eq 141 || $? -eq 1 ]] || fail "a closed pipe"
expect_exit 0 bash -c 'git-scad status <&- 2>&-' # and closed descriptors are none of its files
expect_exit 0 bash -c 'git-scad session exec alpha -- true <&-'
