#!/usr/bin/env bash
# Would catch: work that is lost by stop, resume, rm or undelete, or a state that `session list` tells wrongly.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
state_of() { git scad session list --porcelain "$1" | cut -f3; }
in_code() { git scad session exec -q -w /work/code alpha -- sh -euc "$1"; }

before=$(date +%s)
git scad session start -q atlas alpha >/dev/null
git scad session list --porcelain alpha >list
expect_same 8 "$(awk -F'\t' '{ print NF }' list)"
expect_same $'alpha\tatlas\tlive\tbubblewrap\t0\t0\t0' "$(cut -f1-7 list)"
created=$(cut -f8 list)
[[ $created -ge $before && $created -le $(date +%s) ]] || fail "created at $created?"
expect_same "$(tr -d '\n' <list)" "$(git scad session list --porcelain -z | tr -d '\0')"
expect_same '1 alpha live' "$(git scad session list --json |
    python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["version"], d["sessions"][0]["name"], d["sessions"][0]["state"])')"

# Work of all kinds.
in_code '
    echo one >committed && git add committed && git commit -qm "committed inside"
    git switch -q -c side && git commit -q --allow-empty -m "on the side" && git switch -q -
    echo two >staged && git add staged
    echo three >staged
    echo four >>README.md
    echo five >new
    mkdir deep && echo six >deep/file
    rm src/main.txt
    printf "ignored\n" >.gitignore && echo seven >ignored
    ln -s README.md link
    chmod +x new
    echo eight >/home/agent/at-home; echo nine >/tmp/scratch'
status=$(in_code 'git status --porcelain')
expect_exit 0 git scad inject -q alpha -- sh -c 'cd /work/docs && echo words >words.md && git add -A && git commit -qm words'
git scad inject -q alpha -- false && fail "a job that fails"
expect_same $'0\t1\t1' "$(git scad session list --porcelain alpha | cut -f5-7)"

# stop: everything stays; a job that runs is ended, and that is told.
git scad inject -d alpha -- sh -c 'echo >>/work/code/by-the-job begun; exec sleep 600' >/dev/null
wait_for 5 in_code 'test -e by-the-job'
expect_exit 0 git scad session stop alpha
expect_match "stopped session 'alpha' and 1 of its jobs" "$err"
expect_same stopped "$(state_of alpha)"
expect_same cancelled "$(git scad job list --porcelain alpha | tail -n 1 | cut -f4)"
no_process_left || fail "a stopped session left processes"
expect_exit 0 git scad session stop alpha
expect_match 'stopped already' "$err"

# snapshot, show and status of a stopped session.
expect_exit 0 git scad session show alpha
expect_match '^state: +stopped' "$out"
expect_match 'pids +4096 ' "$out"
expect_match '1 commit ahead' "$out"
expect_match 'not saved: 1 ignored' "$out"
expect_exit 0 git scad session snapshot alpha
expect_match 'alpha/code: .* changed, .* untracked, saved as ' "$err"

# resume: as it was.
expect_exit 0 git scad session resume alpha
expect_match "resumed session 'alpha', which was stopped" "$err"
expect_same live "$(state_of alpha)"
expect_same "$(printf '%s\n' "$status" "?? by-the-job" | sort)" "$(in_code 'git status --porcelain' | sort)"
for file in committed:one staged:three new:five deep/file:six ignored:seven; do
    expect_same "${file#*:}" "$(in_code "cat ${file%%:*}")"
done
expect_same "eight nine" "$(in_code 'echo $(cat /home/agent/at-home /tmp/scratch)')"
expect_same two "$(in_code 'git show :staged')"
expect_exit 0 git scad session resume alpha
expect_match "live already" "$err"

# rm saves first: committed and uncommitted work is in the host repo.
expect_exit 0 git scad session rm alpha
expect_match "removed session 'alpha'; .git scad session undelete alpha. brings it back" "$err"
expect_match 'alpha/code: no snapshot holds 1 ignored' "$err"
expect_same "" "$(git scad session list --porcelain)"
no_process_left || fail "a removed session left processes"
expect_same "" "$(git -C "$code" remote)"
expect_same "committed inside" "$(git -C "$code" log -1 --format=%s refs/remotes/scad/alpha/alpha)"
expect_same "on the side" "$(git -C "$code" log -1 --format=%s refs/remotes/scad/alpha/side)"
expect_same words "$(git -C "$docs" show scad/alpha:words.md)"
wip=refs/scad-session/alpha/wip
for file in committed:one staged:three new:five deep/file:six by-the-job:begun; do
    expect_same "${file#*:}" "$(git -C "$code" show "$wip:${file%%:*}")"
done
expect_same README.md "$(git -C "$code" show "$wip:link")"
expect_match '^100755 .*new$' "$(git -C "$code" ls-tree "$wip")"
expect_no_match 'src/main.txt|ignored$' "$(git -C "$code" ls-tree -r --name-only "$wip")"
expect_same two "$(git -C "$code" show "$wip^2:staged")" # what was staged is a parent
git -C "$code" fsck --no-dangling >&2
expect_exit 0 git scad session list --trash
expect_match '^alpha ' "$out"
expect_exit 128 git scad session show alpha
expect_match '^hint: git scad session undelete alpha' "$err"

# undelete: work, remote, refs and jobs are back.
expect_exit 128 git scad session undelete alhpa
expect_exit 0 git scad session undelete alpha
expect_same stopped "$(state_of alpha)"
expect_same scad/alpha "$(git -C "$code" remote)"
expect_match 'refs/scad-session/alpha/base' "$(git -C "$code" for-each-ref)"
git scad session resume -q alpha
expect_same "seven eight" "$(in_code 'echo $(cat ignored /home/agent/at-home)')"
expect_same "1 2 3" "$(git scad job list --porcelain alpha | cut -f2 | xargs)"
in_code 'git commit -q --allow-empty -m "after undelete"'
git -C "$code" fetch -q scad/alpha
expect_same "after undelete" "$(git -C "$code" log -1 --format=%s scad/alpha)"

# --purge: gone at once, and only the fetched refs stay.
expect_exit 0 git scad session rm --purge alpha
expect_exit 128 git scad session undelete alpha
expect_same "" "$(find "$state/sessions" "$state/trash" -mindepth 1 -maxdepth 1 -name '*alpha*')"
expect_same "after undelete" "$(git -C "$code" log -1 --format=%s refs/remotes/scad/alpha/alpha)"
expect_same "" "$(git -C "$code" for-each-ref refs/scad-session/alpha/base refs/scad-session/alpha/pin)"

# It refuses only when saving fails, and then says how to go on.
git scad session start -q atlas beta >/dev/null
git scad session exec -w /work/docs beta -- git commit -q --allow-empty -m "in docs"
mv "$code" "$code.away"
expect_exit 128 git scad session rm beta
expect_match '^hint: git scad session rm --force beta' "$err"
expect_match '^beta' "$(git scad session list --porcelain)"
expect_exit 1 git scad session rm --force beta
expect_match 'not saved' "$err"
mv "$code.away" "$code"
expect_exit 0 git scad session undelete beta
expect_same "in docs" "$(git scad session exec -q -w /work/docs beta -- git log -1 --format=%s)"
