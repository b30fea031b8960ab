#!/usr/bin/env bash
# Would catch: a sweep that drops what is named or was never saved, that leaves what nothing names, or that a kill leaves half done.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"

make_project
start alpha
aged() { # <session> <days>: it was removed that long ago
    mv "$(echo "$state"/trash/"$1".*)" "$state/trash/$1.$(($(date +%s) - $2 * 86400))"
}
trashed() { ls "$state/trash" | sed 's/\.[0-9]*$//' | sort | xargs; }

# Nothing to drop: all is named.
before=$(find "$state/trees" "$state/environments" -mindepth 1 -maxdepth 2 | sort)
expect_exit 0 git scad session gc
expect_match "nothing to drop" "$err"
expect_same "$before" "$(find "$state/trees" "$state/environments" -mindepth 1 -maxdepth 2 | sort)"

# Trees: those of older commits go with the last session on them; the newest of a repo stays.
trees() { find "$state/trees" -mindepth 2 -maxdepth 2 -type d ! -name '.*' | wc -l; }
git -C "$code" commit -q --allow-empty -m next
start beta
expect_same 3 "$(trees)"
expect_exit 0 git scad session gc
expect_same 3 "$(trees)"
inside alpha code 'echo work >work'
git scad session rm -q alpha
expect_exit 0 git scad session gc
expect_same 3 "$(trees)"
aged alpha 15
expect_exit 0 git scad session gc --dry-run
expect_match "would drop session 'alpha', removed 2 weeks ago, " "$out"
expect_same alpha "$(trashed)"
expect_exit 0 git scad session gc
expect_match "dropped session 'alpha', removed 2 weeks ago, " "$out"
expect_match "dropped base tree .* of repo " "$out"
expect_match "^freed " "$err"
expect_same "" "$(trashed)"
expect_same 2 "$(trees)"
expect_same work "$(git -C "$code" show refs/scad-session/alpha/wip:work)"
expect_same "" "$(git -C "$code" for-each-ref refs/scad-session/alpha/base refs/scad-session/alpha/pin)"
inside beta code 'git status --porcelain && cat README.md' >/dev/null

# scad.keepDays; what was not saved stays, whatever its age; so does what the host has lost.
start gamma
start delta
lost=$(commit delta code delta lost)
git scad session rm -q gamma delta
aged gamma 3 && aged delta 30
git scad code prune -q delta
git -C "$code" reflog expire --expire=now --all
git -C "$code" gc -q --prune=now
git -C "$code" cat-file -e "$lost" 2>/dev/null && fail "the host still holds it"
expect_exit 0 git scad session gc
expect_same "delta gamma" "$(trashed)"
expect_match "warning: kept removed session 'delta': .*does not hold ${lost:0:12}.*rm --purge delta" "$err"
expect_exit 0 git -c scad.keepDays=2 scad session gc
expect_same delta "$(trashed)"
expect_exit 0 git scad session undelete delta
expect_same "$lost" "$(inside delta code 'git rev-parse HEAD')"
git scad session rm -q delta

# Environments and programs that nothing names; what killed commands left; pins without a session.
mkdir -p "$state/agents/0123abcd/bin" "$state/agents/4567abcd" "$state/sessions/.tmp-1-x" "$state/trees/$(ls "$state/trees" | head -n1)/.tmp-1-y"
echo x >"$state/agents/0123abcd/bin/claude"
printf '{"version":1,"programs":[{"name":"claude","found":"/x","sources":[],"stamp":"","lookups":{},"id":"4567abcd","entry":"claude","path":[]}]}' >"$state/agents.json"
git -C "$code" update-ref refs/scad-session/nobody/pin main
git -C "$code" update-ref refs/scad-session/nobody/wip main
expect_exit 0 git scad session gc
expect_match "old program of an agent 0123abcd" "$out"
expect_match "pins of 'nobody'" "$out"
expect_same 4567abcd "$(ls "$state/agents")"
expect_same "" "$(find "$state" -name '.tmp-*')"
expect_same "refs/scad-session/nobody/wip" "$(git -C "$code" for-each-ref --format='%(refname)' refs/scad-session/nobody)"

# By itself: at most daily, not when it is not wanted, and not the first time.
[[ -e $state/gc.stamp ]] || fail "no command has thought of it"
git scad session rm -q --purge delta
start old && git scad session rm -q old && aged old 20
start one && git scad session rm -q --purge one
expect_same old "$(trashed)"
touch -d '2 days ago' "$state/gc.stamp"
git config --global scad.autoGc false
start two && git scad session rm -q --purge two
expect_same old "$(trashed)"
git config --global --unset scad.autoGc
start three && git scad session rm -q --purge three
wait_for 10 bash -c "! ls -d '$state'/trash/old.* 2>/dev/null"

# Killed at any point: what is named is whole, and the next run finishes.
start kept
inside kept code 'echo kept >kept'
for pause in 0 10 20 30 45 60 90 130; do
    git scad code prune -q victim 2>/dev/null || true
    start victim
    inside victim code 'mkdir many; for n in $(seq 200); do echo $n >many/$n; done'
    git scad session rm -q victim
    aged victim 20
    kill_after $pause git-scad session gc
    expect_exit 0 git scad session gc
    expect_same "" "$(trashed)"
    expect_same "" "$(find "$state/trash" -mindepth 1)"
    expect_same kept "$(inside kept code 'cat kept')"
    git -C "$code" show refs/scad-session/victim/wip:many/7 >/dev/null
done
git -C "$code" fsck --no-dangling >&2
