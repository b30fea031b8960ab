#!/usr/bin/env bash
# Would catch: two projects of one machine that mix, a project that is inferred wrongly from a directory, or a .local.toml that is not laid over or needs no approval.
. "$(dirname "$0")/../support/world.sh"

make_project
make_repo notes README.md
mkdir -p notes/.scad
printf '%s\n' '[repos.notes]' 'path = "."' '[environment]' 'env = { WHERE = "notes" }' >notes/.scad/book.toml
printf '%s\n' '[repos.code]' 'path = "../code"' '[repos.notes]' 'path = "."' >notes/.scad/both.toml
git config --global --add scad.docs "$trash/notes"
git scad build -q atlas
for name in book both; do git scad config trust -q --yes "$name" >/dev/null; done
git scad build -q book
git scad build -q both

expect_same "atlas book both" "$(git scad config list --porcelain 2>/dev/null | cut -f1 | sort | xargs || true)"
expect_exit 0 git scad config list
for name in atlas book both; do expect_match "$name" "$out"; done

# From where one stands.
expect_same atlas-1 "$(git -C "$docs/.scad" scad session start -q)"
expect_exit 128 git -C notes scad session start -q
expect_match 'book' "$err"
expect_match 'both' "$err"
expect_exit 128 git -C "$code" scad session start -q
expect_exit 128 git -C / scad session start -q
expect_exit 128 git -C / scad session start -q boko
expect_match "book" "$err"
git scad session start -q book n1 >/dev/null
git scad session start -q both b1 >/dev/null
expect_same "atlas-1=atlas b1=both n1=book" "$(git scad session list --porcelain | awk '{ print $1 "=" $2 }' | xargs)"
expect_same notes "$(git scad session exec n1 -- sh -c 'echo $WHERE')"
expect_same "notes" "$(git scad session exec n1 -- sh -c 'cd /work && ls -d */ | tr -d /')"
expect_same "code notes" "$(git scad session exec b1 -- sh -c 'cd /work && ls -d */ | tr -d /' | xargs)"
expect_same "scad/atlas-1 scad/b1" "$(git -C "$code" remote | xargs)"
expect_same "scad/b1 scad/n1" "$(git -C notes remote | xargs)"

# Laid over on this machine: a key of its own, and a request that has to be approved.
printf '%s\n' '[environment]' 'env = { WHERE = "here" }' '[limits]' 'pids = 300' >notes/.scad/book.local.toml
expect_exit 0 git scad build -q book
git scad session start -q book n2 >/dev/null
expect_same here "$(git scad session exec n2 -- sh -c 'echo $WHERE')"
expect_match 'pids +300' "$(git scad session show n2)"
mkdir data
printf '%s\n' '[mounts."/data"]' "source = \"$trash/data\"" >>notes/.scad/book.local.toml
expect_exit 1 git scad session start book n3
expect_match 'git scad config trust' "$err"
expect_match "$trash/data" "$err"
git scad config trust -q --yes book >/dev/null
git scad build -q book
expect_exit 0 git scad session start -q book n3
printf '%s\n' '[nonsense]' >notes/.scad/book.local.toml
expect_exit 128 git scad session start book n4
expect_match 'book.local.toml:1' "$err"
