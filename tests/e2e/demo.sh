#!/usr/bin/env bash
# Would catch: a tour that fails, runs what it does not show, or leaves a process, a mount, a file, a setting or a ref behind: at its end, when it is interrupted, or when it cannot go on.
. "$(dirname "$0")/../support/world.sh"

# A user's own things, which it must not touch.
make_project
git scad build -q atlas
git scad session start -q atlas mine >/dev/null
everything() { # but for what a live session writes
    find "$HOME" "$TMPDIR" "$code" "$docs" -path "$state/sessions/*" -prune -o -printf '%y %m %p %l\n' | sort
    sort "$HOME/.gitconfig"
    for repo in "$code" "$docs"; do git -C "$repo" for-each-ref; git -C "$repo" config --list --local | sort; done
}
everything >before
processes_before=$(our_processes | wc -l)
same_processes() { [[ $(our_processes | wc -l) == "$processes_before" ]]; }
check_clean() {
    wait_for 10 same_processes
    everything >after
    expect_same before after
    expect_same mine "$(git scad session list --porcelain | cut -f1)"
    expect_exit 0 git scad session list --trash
    [[ ! -s $out ]] || fail "the demo left something in the trash"
}

# From any directory, also one that is no repo and cannot be written.
cd /
expect_exit 0 git scad demo
cd "$trash"
cp "$out" shown
check_clean
# It teaches: each step of the loop is a command that is shown before it is run, in the order that a user has.
number=0
for command in 'git init' 'git scad init demo ../code' 'git scad config trust' 'git scad build demo' \
    'git scad session start demo alpha' 'git scad session start demo beta' 'git scad inject alpha,beta' 'git scad status' \
    'git fetch scad/alpha' 'git diff main...scad/alpha' 'git range-diff' 'git scad code log' 'git merge' 'git scad finish alpha beta'; do
    line=$(grep -nF -m 1 "\$ $command" shown | cut -d: -f1)
    [[ -n $line ]] || { cat shown >&2; fail "'$command' is not shown"; }
    [[ $line -gt $number ]] || fail "'$command' comes too early"
    number=$line
done
# What it does is seen, not claimed.
expect_match '^alpha:1 +│ Done' shown
expect_match '^beta:1 +│ Done' shown
expect_match 'the sum is 42' shown
expect_match '^\+.*awk' shown
expect_match 'Fast-forward' shown
expect_no_match $'\e|fatal:|error:' shown
expect_no_match '^(fatal|error)' "$err"

# Interrupted at any moment it tidies up, and ends by the signal.
for words in 'session start demo beta' 'git scad inject'; do
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' git-scad demo >shown 2>&1 &
    demo=$!
    wait_for 30 grep -qF "$words" shown
    kill -INT $demo
    status=0
    wait $demo || status=$?
    expect_same 130 "$status"
    expect_match 'stopped; everything that the demo made is removed' shown
    check_clean
done

# What it lacks is told before anything is begun, and leaves nothing either.
expect_exit 128 git scad demo --agent claude
expect_match '^fatal: ' "$err"
expect_match '^hint: ' "$err"
check_clean
