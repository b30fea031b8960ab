#!/usr/bin/env bash
# Would catch: a fork that lacks or changes something of what its source wrote, is no session of its own on the host, disturbs its source, or leaves it frozen.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"

make_project
start alpha
mkdir -p "$trash/lists"

# All that git tells of a repo, and every other file with its kind, mode, time and content. What must differ is the name
# of the work branch, and the inode numbers in the index.
listing='
    cd /work/code
    git status --porcelain=v2 --ignored
    git stash list --format=%s:%T
    git log --exclude="refs/scad/*" --all --format=%H:%P:%s | sort
    git ls-files --stage
    git fsck --no-progress 2>&1
    for top in /work/code /work/docs /home/agent /tmp; do
        find $top -name .git -prune -o -printf "%P %y %m %T@ %s %l %n\n" | LC_ALL=C sort
        find $top -name .git -prune -o -type f ! -name sparse -print0 | LC_ALL=C sort -z | xargs -0r md5sum 2>&1 || true
        find $top -name .git -prune -o -print0 | LC_ALL=C sort -z | xargs -0r timeout 5 getfattr -h -d 2>/dev/null || true
    done'
list() { inside "$1" code "$listing" | LC_ALL=C sed "s/ [0-9]*\$//" >"$trash/lists/$1"; }

inside alpha code '
    git commit -q --allow-empty -m "a commit"
    echo one >tracked && git add tracked && git commit -qm tracked
    git branch side HEAD~1
    echo stashed >tracked && git stash -q
    echo staged >tracked && git add tracked && echo unstaged >tracked
    echo untracked >untracked
    printf "%s\n" /ignored >.git/info/exclude && echo ignored >ignored
    rm README.md && rm -r src && mkdir src && echo new >src/new
    mkdir deep && for n in 1 2 3; do mkdir -m 750 deep/$n; ln -s ../$n/x deep/$n/link; done
    touch -d "2001-02-03 04:05:06.789" deep/old && mkdir deep/empty && mkfifo deep/fifo
    echo twice >deep/one && ln deep/one deep/two
    truncate -s 1T /tmp/sparse
    echo secret >deep/unreadable && chmod 000 deep/unreadable && mkdir deep/closed && echo x >deep/closed/x && chmod 000 deep/closed
    printf x >"deep/odd
name " && printf x >"$(printf "deep/\\377\\001")"
    setfattr -n user.test -v value deep/one 2>/dev/null || true
    python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"deep/socket\")"
    echo kept >~/notes && mkdir -p ~/.config/x && echo scratch >/tmp/scratch'
chmods='chmod u+rwX deep/unreadable deep/closed'
list alpha

# Of a live session whose programs go on as if nothing had been.
git scad inject -q -d alpha -- sh -c 'while :; do echo x >>/tmp/count; sleep 0.01; done'
wait_for 10 inside alpha code 'test -s /tmp/count'
host_before=$(host_state "$code")
expect_exit 0 git scad session fork alpha beta
expect_same beta "$(<"$out")"
expect_same "$host_before" "$(host_state "$code")"
expect_same live "$(git scad session list --porcelain beta | cut -f3)"
count=$(inside alpha code 'wc -l </tmp/count')
wait_for 10 inside alpha code "[ \$(wc -l </tmp/count) -gt $((count + 3)) ]"
expect_same "" "$(inside alpha code 'for p in /proc/[0-9]*/stat; do sed "s/.*) //" $p; done 2>/dev/null | grep "^[Tt] " || true')"
git scad job cancel -q alpha
inside alpha code 'rm /tmp/count'; inside beta code 'test -s /tmp/count && rm /tmp/count'

# The same in every respect, under its own name.
list beta
for one in alpha beta; do LC_ALL=C sed -i "/^ d\|^ [fl] /d; /\.scad/d; s/^# branch.*//" "$trash/lists/$one"; done
expect_same "$trash/lists/alpha" "$trash/lists/beta"
expect_same beta "$(inside beta code 'git symbolic-ref --short HEAD')"
expect_same "beta side" "$(inside beta code 'echo $(git branch --format="%(refname:short)")')"
expect_same beta "$(inside beta docs 'git symbolic-ref --short HEAD')"
expect_same secret "$(inside beta code "$chmods; cat deep/unreadable")"
expect_same "1099511627776 0" "$(inside beta code 'stat -c "%s %b" /tmp/sparse')"
expect_same "" "$(inside beta code 'test deep/one -ef deep/two || echo apart')"
expect_match '^created:.*a fork of alpha' "$(git scad session show beta)"
expect_match "ran in session 'alpha' when that was forked" "$(git scad job show beta:1)"
expect_same "lost" "$(git scad job list --porcelain beta | cut -f4)"

# Each goes its own way, and comes back by itself.
inside alpha code "$chmods; git add -A deep/1; git commit -qm 'of alpha'"
inside beta code "git add -A deep/2; git commit -qm 'of beta'"
git scad session snapshot -q beta
git -C "$code" fetch -q scad/alpha
git -C "$code" fetch -q scad/beta
expect_same "of alpha" "$(git -C "$code" log -1 --format=%s scad/alpha)"
expect_same "of beta" "$(git -C "$code" log -1 --format=%s scad/beta)"
expect_tip "$code" refs/remotes/scad/beta/beta "$(inside beta code 'git rev-parse HEAD')"
expect_same "" "$(tip "$code" refs/remotes/scad/beta/alpha)"
expect_same "untracked" "$(git -C "$code" show refs/scad-session/beta/wip:untracked)"
expect_match "refs/scad-session/beta/base" "$(git -C "$code" for-each-ref --format='%(refname)' refs/scad-session)"

# Of a stopped one, several of one moment, and of a fork; a branch of that name keeps it.
git scad session stop -q alpha
inside beta code 'git branch gamma-2'
expect_exit 0 git scad session fork -q alpha
expect_same alpha-1 "$(<"$out")"
expect_exit 0 git scad session fork -q -n 2 beta gamma
expect_same "gamma-1 gamma-2" "$(xargs <"$out")"
# shellcheck disable=SC2046 # one word each
expect_same "gamma-1 beta" "$(echo $(inside gamma-1 code 'git symbolic-ref --short HEAD') $(inside gamma-2 code 'git symbolic-ref --short HEAD'))"
expect_same "of beta" "$(inside gamma-2 code 'git log -1 --format=%s')"
inside gamma-2 code 'git commit -q --allow-empty -m last'
git -C "$code" fetch -q scad/gamma-2
expect_same last "$(git -C "$code" log -1 --format=%s scad/gamma-2)"
expect_same stopped "$(git scad session list --porcelain alpha | cut -f3)"

# The source can go, and what the copy borrows stays.
git scad session rm -q alpha beta
git scad inject -q gamma-1,gamma-2,alpha-1 -- true
expect_exit 0 git scad finish -q gamma-1 gamma-2 alpha-1

# Names that cannot be.
expect_exit 128 git scad session fork nobody new
start delta
expect_exit 128 git scad session fork delta delta
expect_match "a session named 'delta' is there already" "$err"
expect_exit 128 git scad session fork delta alpha
expect_match "can still be brought back" "$err"
expect_same "" "$(find "$state/sessions" -mindepth 1 -maxdepth 1 ! -name delta)"
