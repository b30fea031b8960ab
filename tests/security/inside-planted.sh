#!/usr/bin/env bash
# What would be caught: a command of the host's that follows a link which a session has left in its home, its scratch, its
# working tree, its git directory or a mount, or that stumbles over what it has heaped up there.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"

canary=$HOME/canary
mkdir -p "$canary/dir/below" "$trash/lent"
for file in file dir/file dir/below/file dir/settings.json dir/config; do echo "sacred $file" >"$canary/$file"; done
chmod 640 "$canary/file"
canary_state() { (cd "$canary" && find . -printf '%p %y %m %s %T@ %C@ %n\n' | sort && find . -type f -exec sha256sum {} + | sort); }
before=$(canary_state)
untouched() { expect_same "$before" "$(canary_state)"; }

# An agent of which files are written into the home before each job.
mkdir "$trash/bin"
cp "$probe" "$trash/bin/claude" # by that name it is one that does nothing
PATH=$SCAD_TEST_BIN:$trash/bin:/usr/bin:/bin
export ANTHROPIC_API_KEY=no-key
begin_inside '[mounts."/data/lent"]' "source = \"$trash/lent\"" 'mode = "rw"'
git scad inject -q alpha -m "be there once" >/dev/null # the honest case works
expect_match Onboarding "$state/sessions/alpha/home/.claude.json"
plant='
    rm -rf /home/agent/.claude* /home/agent/.config
    ln -s "$1/file" /home/agent/.claude.json
    ln -s "$1/dir" /home/agent/.claude
    ln -s "$1/file" /home/agent/.gitconfig
    ln -s "$1/dir" /home/agent/.config
    ln -s "$1/dir" /home/agent/.local
    ln -s "$1" /home/agent/all
    ln -s "$1/file" /home/agent/.claude.json.scad-1
    rm -rf /tmp/*; ln -s "$1/dir" /tmp/dir; ln -s "$1/file" /tmp/file
    for n in 1 2 3 4 5 6 7 8 9; do ln -s "$1/dir" "/tmp/tmp.$n"; ln -s "$1/file" "/tmp/index.$n"; done
    cd /work/code
    echo mine >mine.txt
    rm -rf src README.md
    ln -s "$1/dir" src
    ln -s "$1/file" README.md
    ln -s "$1/dir" .gitignore
    ln -s "$1/file" .gitattributes
    ln -s "$1" everything
    ln -s / root
    cd .git
    ln -s "$1/dir" refs/scad-session
    ln -s "$1/file" COMMIT_EDITMSG.lock
    ln -s "$1/new" index.lock
    ln -s "$1/dir" rr-cache
    rm -rf hooks info/exclude; ln -s "$1/dir" hooks; ln -s "$1/file" info/exclude
    ln -s "$1/dir" worktrees; ln -s "$1/dir" modules; ln -s "$1/dir" lfs
    ln -s "$1/file" description.x; ln -s "$1/new" gc.pid; ln -s "$1/file" FETCH_HEAD
    cd /data/lent
    ln -s "$1" all; ln -s "$1/dir" dir; ln -s / root; echo mine >mine.txt'
replant() { git scad session exec alpha -- sh -c "$plant" sh "$canary" 2>/dev/null; }
replant

# Every command that reaches into a session, live, stopped and removed.
everything() {
    local command
    for command in "session snapshot alpha" "session show alpha" "status" "session list" "code fetch alpha" "code log alpha" "code diff alpha" \
        "inject -q alpha -m again" "job list alpha" "job logs alpha" "session stop -q alpha" "session show alpha" "status" "code fetch alpha" \
        "session resume -q alpha" "session stop -q alpha" "inject -q alpha -m again" "session stop -q alpha" "session snapshot alpha" "harvest alpha"; do
        # shellcheck disable=SC2086 # words
        timeout -k 5 60 git scad $command >/dev/null 2>&1 </dev/null || [[ $? -lt 124 ]] || fail "no end, or a crash: $command"
        untouched
    done
}
everything
# Its link is its own affair: nothing is written through it, and it stays.
expect_same "symbolic link" "$(stat -c %F "$state/sessions/alpha/home/.claude.json")"
git scad session resume -q alpha 2>/dev/null || true
replant || true
everything
expect_same "mine" "$(<"$trash/lent/mine.txt")"

# With the defence off: whoever writes by such a path on the host writes to the user's file.
git scad session resume -q alpha 2>/dev/null || true
replant || true
git scad session stop -q alpha 2>/dev/null || true
home=$state/sessions/alpha/home
expect_same "symbolic link" "$(stat -c %F "$home/.claude.json")"
cp -a "$canary" "$trash/canary.old"
works plain write "$home/.claude.json"
works plain write "$home/.claude/scad-test"
works plain write "$state/sessions/alpha/repos/code/git/index.lock"
works plain write "$state/sessions/alpha/repos/code/$layer/src/scad-test"
[[ $before != "$(canary_state)" ]] || fail "the canary does not sing"
rm -rf "$canary"
cp -a "$trash/canary.old" "$canary"
before=$(canary_state)

# What makes a removal stumble: a depth past any path's length, directories without permissions, many names.
git scad session resume -q alpha 2>/dev/null || true
replant || true
bring_probe alpha
in_session alpha mkdir -p /tmp/deep
works alpha nest /tmp/deep 2500
in_session alpha sh -c 'mkdir -p /tmp/shut/in/side /home/agent/shut/in; chmod 000 /tmp/shut/in/side /tmp/shut/in /tmp/shut /home/agent/shut
    mkdir /tmp/many; cd /tmp/many; seq 500 | xargs touch; mkfifo /tmp/fifo /home/agent/fifo; : >/home/agent/-rf; mkdir "/tmp/
newline"'
expect_exit 0 git scad session rm --force alpha
untouched
expect_exit 0 git scad session undelete alpha
untouched
expect_exit 0 git scad session rm --force --purge alpha
untouched
expect_same "" "$(find "$state/sessions" "$state/trash" -mindepth 1 -maxdepth 1 -name 'alpha*')"
expect_same "$trash/lent" "$(ls -d "$trash/lent")"
expect_match . "$(ls -A "$trash/lent")"
expect_same "mine" "$(<"$trash/lent/mine.txt")"
