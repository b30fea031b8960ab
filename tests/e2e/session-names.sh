#!/usr/bin/env bash
# Would catch: a session name that is taken twice, given again, accepted though it cannot be one, or refused without saying why; a prefix that names the wrong session.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas

for name in Alpha -x .a a..b a.lock head wip "a b" a/b "ä" "$(printf 'a%.0s' {1..41})" 'a*' $'a\nb' remotes; do
    expect_exit 128 git scad session start atlas --name="$name"
    expect_match "^fatal: " "$err"
done
expect_same "" "$(git scad session list --porcelain 2>/dev/null)"
expect_same "" "$(git -C "$code" for-each-ref | grep -v 'refs/heads/main$' || true)"

# Generated names count on and are never given again.
expect_same atlas-1 "$(git -C "$docs" scad session start -q)"
expect_same atlas-2 "$(git scad session start -q atlas)"
git scad session rm -q --purge atlas-2
git scad code prune -q atlas-2
expect_same atlas-3 "$(git scad session start -q atlas)"
expect_same "loader-1
loader-2" "$(git scad session start -q atlas --name loader -n 2)"
long=$(printf 'a%.0s' {1..40})
expect_same "$long" "$(git scad session start -q atlas "$long")"
git scad session rm -q --purge "$long" loader-1 atlas-3

expect_exit 128 git scad session start atlas atlas-1
expect_match "^fatal: .*'atlas-1' is there already" "$err"
expect_exit 129 git scad session start atlas one --name two
expect_exit 129 git scad session start atlas --name=
expect_exit 129 git scad session start atlas -n 0
expect_exit 129 git scad session start atlas -n many

# What is in the trash keeps its name, what left refs does so, too.
git scad session exec loader-2 -- git commit -q --allow-empty -m work
git scad session rm -q loader-2
expect_exit 128 git scad session start atlas loader-2
expect_match 'undelete loader-2' "$err"
git scad session rm -q --purge loader-2
expect_exit 128 git scad session start atlas loader-2
expect_match "^fatal: 'loader-2' still has refs" "$err"
expect_match '^hint: git scad code prune loader-2' "$err"
git scad code prune -q loader-2
expect_exit 0 git scad session start -q atlas loader-2
# A ref of the host's own that would be meant instead of the session.
git -C "$code" branch scad/taken
expect_exit 128 git scad session start atlas taken
expect_match "refs/heads/scad/taken" "$err"
git -C "$code" branch -d -q scad/taken

# Prefixes, lists and patterns name sessions; rm wants whole names.
expect_exit 0 git scad session show load
expect_match 'loader-2' "$out"
git scad session start -q atlas loader-9 >/dev/null
expect_exit 128 git scad session show loader
expect_match "fits several sessions: loader-2, loader-9" "$err"
expect_same "loader-2
loader-9" "$(git scad session list --porcelain 'loader-*' | cut -f1)"
expect_same "atlas-1
loader-9" "$(git scad session list --porcelain atlas-1,loader-9 | cut -f1)"
expect_exit 128 git scad session list 'none-*'
expect_exit 128 git scad session rm loader-
expect_match "no session is named 'loader-', and whole names are wanted here" "$err"
expect_match '^hint: it would fit loader-2, loader-9' "$err"
expect_exit 128 git scad session rm 'loader-*'
expect_exit 128 git scad finish 'loader-*'
expect_match "no session is named 'loader-\*', and whole names are wanted here" "$err"
expect_exit 128 git scad session show lodaer-2
expect_match "^fatal: no session named 'lodaer-2'" "$err"
expect_match "^hint: did you mean 'loader-2'" "$err"
expect_same "atlas-1 loader-2 loader-9" "$(git scad session list --porcelain | cut -f1 | xargs)"
