#!/usr/bin/env bash
# What would be caught: control characters above 0x7f, and marks that turn the direction of text, which JSON lets through as
# they are, on the terminal of who looks at --json.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas --name text >/dev/null
# shellcheck disable=SC2016 # the inner shell expands
git scad inject -q text -- sh -c 'cd /work/code && git switch -q -c "$(printf "a\302\23331mred\342\200\256txet")"'
for show in "status --json text" "session show --json text" "session list --json" "job list --json text" "job show --json text"; do
    # shellcheck disable=SC2086 # words
    git scad $show >shown
    ! LC_ALL=C grep -q $'[\x80-\xff\x7f]' shown || fail "$show: $(LC_ALL=C grep -a $'[\x80-\xff\x7f]' shown | cat -v)"
done
git scad status --json text | python3 -c '
import json, sys
branches = [repo["branch"] for repo in json.load(sys.stdin)["sessions"][0]["repos"]]
assert "a\u009b31mred\u202etxet" in branches, branches'
