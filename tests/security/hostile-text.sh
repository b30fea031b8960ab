#!/usr/bin/env bash
# What would be caught: escape sequences of a session's making (messages, names, paths, contents, what a job prints) that
# reach the terminal as they are.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

# A title, colours, an erased screen, C1, right-to-left: each would fool who reads it.
hostile text '
    esc=$(printf "\033]0;title\007\033[2J\033[31mred\302\233 1m \342\200\256txet\010\010\010 \177")
    git config user.name "A $esc"
    git config user.email "a$esc@example.com"
    echo "$esc" >"name $esc.txt"
    mkdir -p "dir $esc"
    echo "$esc" >"dir $esc/inner"
    git add -A
    git commit -q -m "subject $esc" -m "body $esc"
    git mv "name $esc.txt" "renamed $esc.txt"
    git commit -q -m "moved $esc"
    echo "$esc" >>README.md
    echo "$esc" >"untracked $esc"
    mkdir "nested $esc"
    git init -q "nested $esc"
    mkdir unreadable
    touch "unreadable/$esc"
    chmod 000 unreadable
    git checkout -q -b "b"
    git tag "t"'
git -C "$code" fetch -q scad/text
git -C "$code" log scad/text/b >"$trash/log"
grep -q $'\x1b' "$trash/log" || fail "plain git shows no escape sequence: there is nothing to see here"

# What jobs print and are asked.
on_host git scad inject text -- printf '\033[31mred\033]0;title\007\n'
on_host git scad inject text -- sh -c 'printf "\033[31mred" >&2; exit 3'
for show in "job list text" "job show text:1" "job logs text:1" "job logs text:2" "job list --porcelain text" "job show --json text:1"; do
    # shellcheck disable=SC2086 # words
    on_terminal git scad $show
done
on_terminal git scad session exec text -- printf '\033[31mred\n'
survive text
