#!/usr/bin/env bash
# What would be caught: a job that holds the terminal of whoever started it, or a descriptor of theirs: it could type there
# what the user's shell runs next.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

# on_terminal <command>…: as a person at a terminal would start it; its status, and its output in $said.
on_terminal() {
    local got=0
    said=$(script -qec "$(printf '%q ' "$@")" /dev/null </dev/null) || got=$?
    return "$got"
}
expect_status() { # <status> <command>…
    local got=0
    on_terminal "${@:2}" || got=$?
    [[ $got == "$1" ]] || fail "expected $1, got $got: ${*:2}: $said"
}
expect_status 1 git scad session exec alpha -- /tmp/probe own-terminal
expect_match 'ENXIO' "$said"
expect_status 0 "$probe" own-terminal
expect_status 0 bwrap --unshare-all --bind / / --dev /dev --proc /proc "$probe" own-terminal
# No stream is the terminal.
streams='for n in 0 1 2; do [ ! -t $n ] || exit 5; done; ls -l /proc/self/fd | grep -c -e /dev/pts -e /dev/tty; exit 0'
expect_status 0 git scad session exec alpha -- sh -c "$streams"
expect_match '^0' "$said"
expect_status 5 sh -c "$streams"
expect_status 0 git scad inject alpha -- sh -c "$streams"
expect_match '^0' "$said"
# What it writes is not obeyed by the terminal.
expect_status 0 git scad session exec alpha -- printf '\033]0;title\007\033[6n\302\2332J'
LC_ALL=C expect_no_match $'\033|\007|\302\233' "$said"
expect_status 0 printf '\033]0;title\007'
LC_ALL=C expect_match $'\033' "$said"

# A file of the caller's that is open when it starts a session or a job does not come along.
echo "a secret in an open file" >"$trash/open-file"
exec 9<"$trash/open-file"
git scad session start -q atlas beta >/dev/null
bring_probe beta
in_vain beta own-descriptors
expect_same "" "$(git scad session exec beta -- sh -c 'cat /proc/*/fd/9 2>/dev/null || :')"
works plain own-descriptors
exec 9<&-
