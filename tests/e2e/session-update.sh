#!/usr/bin/env bash
# Would catch: an update that touches a branch or a file, leaves new commits out or to the host's gc; a fetch of origin inside that goes astray or does not say what brings news.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"

make_project
git -C "$code" remote add origin https://user:secret@host.invalid/team/code
start alpha
before=$(git -C "$code" rev-parse main)
work=$(commit alpha code alpha mine)
inside alpha code 'echo unsaved >README.md'
standing() { inside alpha code 'git status --porcelain=v2 --branch; git stash list; git log --format=%H -1; git branch --format="%(refname) %(objectname)"; cat README.md'; }
standing >before

# Inside, origin is asked without any network, and what it says is as of the start.
expect_exit 0 git scad session exec -w /work/code alpha -- git fetch origin
expect_match "git scad session update alpha" "$err"
expect_same "$before" "$(inside alpha code 'git rev-parse origin/main')"
expect_same "https://host.invalid/team/code" "$(inside alpha code 'git config remote.origin.url')"
expect_same "https://host.invalid/team/code" "$(inside alpha code 'git remote get-url --push origin')"
expect_same "" "$(inside alpha code 'git fetch -q --prune origin 2>/dev/null; git branch -r | grep -v origin/ || true')"
expect_exit 0 git scad session exec -w /work/docs alpha -- git fetch
expect_exit 0 git scad session exec -w /work/code alpha -- git pull -q --rebase=false origin main

echo news >"$code/news" && git -C "$code" add news && git -C "$code" commit -qm news
after=$(git -C "$code" rev-parse main)
expect_same "$before" "$(inside alpha code 'git fetch -q origin 2>/dev/null; git rev-parse origin/main')"
expect_exit 0 git scad session update alpha
expect_match "alpha/code: origin/main was ${before:0:10}.*, is ${after:0:10}" "$err"
expect_match "alpha/docs: origin/main is up to date" "$err"
standing >after
expect_same before after
expect_same "$after" "$(inside alpha code 'git rev-parse origin/main')"
expect_exit 0 git scad session exec -w /work/code alpha -- git fetch origin
expect_same "$after" "$(inside alpha code 'git rev-parse origin/main')"
expect_same "news" "$(inside alpha code 'git show origin/main:news')"
expect_exit 0 git scad session update alpha
expect_match "alpha/code: origin/main is up to date at ${after:0:10}" "$err"

# The host rewinds and collects: the session still has it.
git -C "$code" reset -q --hard "$before"
git -C "$code" reflog expire --expire=now --all
git -C "$code" gc -q --prune=now
expect_same "news" "$(inside alpha code 'git show origin/main:news')"
git scad session stop -q alpha
git scad session resume -q alpha
git -C "$code" gc -q --prune=now
expect_same "news" "$(inside alpha code 'git show origin/main:news')"

# Of a stopped one, of a fork, and back; another branch is none of its business.
git scad session stop -q alpha
expect_exit 0 git scad session update alpha
expect_match "alpha/code: origin/main was ${after:0:10}.*, is ${before:0:10}" "$err"
git scad session fork -q alpha beta >/dev/null
git -C "$code" branch -m main trunk
expect_exit 128 git scad session update beta
expect_match "has no branch 'main' any more" "$err"
expect_exit 0 git scad session exec -w /work/code beta -- git fetch origin
expect_match "git scad session update beta" "$err"
expect_same "$work" "$(inside beta code 'git rev-parse beta')"

# A repo inside that refuses, or runs what it should not.
inside beta code 'printf "#!/bin/sh\ntouch /tmp/ran\n" >.git/hooks/reference-transaction && chmod +x .git/hooks/reference-transaction'
git -C "$code" branch main "$before"
expect_exit 0 git scad session update beta
inside beta code '[ ! -e /tmp/ran ] && rm .git/hooks/reference-transaction && rm -r .git/refs/remotes/origin && touch .git/refs/remotes/origin'
git -C "$code" commit -q --allow-empty -m more && git -C "$code" branch -f main
expect_exit 128 git scad session update beta
expect_match "repo 'code' of the session does not take it" "$err"
