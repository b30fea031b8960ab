#!/usr/bin/env bash
# Would catch: a fork that writes where its source's links lead, runs what the source planted, waits for ever on a FIFO, or leaves a half-copied session.
. "$(dirname "$0")/../support/world.sh"
. "$support/hostile.sh"

begin
command_limit=60
hostile bad '
    git config core.fsmonitor "$1"; git config core.sshCommand "$1"; git config core.pager "$1"
    git config alias.branch "!$1"; git config core.hooksPath .git/evil
    mkdir -p .git/evil .git/hooks
    for hook in reference-transaction post-checkout; do printf "#!/bin/sh\n%s\n" "$1" >.git/hooks/$hook; chmod +x .git/hooks/$hook; cp .git/hooks/$hook .git/evil; done
    # Links that lead out, at every place that a copy is written to.
    ln -s /etc/passwd link; ln -s / root; ln -s ../../../../../../../../tmp up
    mkdir -p ~/.config; ln -s "$2" ~/.config/out; ln -s "$2" /tmp/out; ln -s "$2" out
    rm -f .git/index.lock .git/HEAD.lock; ln -s "$2/index" .git/index.lock; ln -s "$2" .git/worktrees
    ln -s "$2" .git/logs/refs/out.lock; mkfifo .git/config.lock; mkfifo .git/refs/fifo; mkfifo pipe ~/pipe
    truncate -s 8T ~/sparse
    printf x >"$(printf "\\033]0;title\\007\\n-rf")"; mkdir -- "--preserve=all" "-T"
    python3 - <<END
import os
os.chdir(os.path.expanduser("~"))
for n in range(1500):
    os.mkdir("d"); os.chdir("d")
open("deepest", "w").write("x")
END
' "$trash/target"
mkdir "$trash/target"
on_host git scad session fork bad copy
expect_same "" "$(find "$trash/target" -mindepth 1)"
no_damage 'bad|copy'
expect_same live "$(git scad session list --porcelain copy | cut -f3)"
expect_same "$trash/target" "$(git scad session exec copy -- readlink /home/agent/.config/out)"
expect_same 8796093022208 "$(git scad session exec copy -- stat -c %s /home/agent/sparse)"
expect_same fifo "$(git scad session exec copy -- stat -c %F /home/agent/pipe)"

# A git directory on which git waits for ever, or that is none.
inside bad code 'rm .git/config.lock; mv .git/HEAD .git/kept; mkfifo .git/HEAD'
on_host git scad session fork bad second
expect_same live "$(git scad session list --porcelain second | cut -f3)"
inside bad docs 'rm -rf .git/* /tmp/x; echo junk >.git/HEAD; echo junk >.git/config' || true
on_host git scad session fork bad third

# Deeper than any path can name: refused in words, and nothing half-made stays; all is gone when the session is.
git scad session exec bad -- python3 -c '
import os
os.chdir("/tmp")
for n in range(4000):
    os.mkdir("a-directory-of-the-session"); os.chdir("a-directory-of-the-session")'
timeout 60 git-scad session fork bad fourth >"$out" 2>"$err" && fail "a tree that cannot be copied was"
expect_match "^fatal: not all of it could be copied" "$err"
expect_match "File name too long" "$err"
expect_same "" "$(git scad session list --porcelain | cut -f1 | grep fourth || true)"
expect_same "" "$(find "$state/sessions" -maxdepth 1 -name '.tmp-*')"
expect_same "" "$(find "$trash/target" -mindepth 1)"
expect_same live "$(git scad session list --porcelain bad | cut -f3)"
for session in bad copy second third; do on_host git scad session rm --force --purge "$session"; done
expect_same "" "$(find "$state/sessions" "$state/trash" -mindepth 1 -maxdepth 1)"
