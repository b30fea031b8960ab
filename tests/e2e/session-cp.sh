#!/usr/bin/env bash
# Would catch: a copy into a session or out of one that loses, changes or invents files, follows a link, is half there when
# it was killed, or is not saved with the session.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha
mkdir -p tree/sub tree/empty
head -c 3000000 /dev/urandom >tree/sub/random
truncate -s 5M tree/sparse
printf '#!/bin/sh\n' >tree/run && chmod 755 tree/run
ln -s sub/random tree/link
touch -d 2020-02-02 tree/run
echo "with a space" >'tree/a b'
echo secret >secret

for life in live stopped; do
    # From here on what was there before is in a snapshot.
    [[ $life == live ]] || git scad session stop -q alpha
    # In, and out again: the same, with modes, times and links.
    expect_exit 0 git scad session cp tree "alpha:/tmp/$life"
    expect_match 'tree -> alpha:/tmp/.*: 5 files' "$err"
    expect_exit 0 git scad session cp "alpha:/tmp/$life" .
    expect_same tree "$life"
    expect_same "$(cd tree && stat -c '%a %Y %n' run sub)" "$(cd "$life" && stat -c '%a %Y %n' run sub)"
    # Several, into a folder; from /work on; a file replaces a file, a folder replaces nothing.
    expect_exit 0 git scad session cp secret 'tree/a b' alpha:code
    mkdir -p "into-$life"
    expect_exit 0 git scad session cp alpha:code/secret 'alpha:code/a b' "into-$life"
    expect_same secret "$(<"into-$life/secret")"
    expect_same "with a space" "$(<"into-$life/a b")"
    expect_exit 0 git scad session cp alpha:code/README.md "into-$life/secret"
    expect_same README.md "$(<"into-$life/secret")"
    expect_exit 128 git scad session cp "alpha:/tmp/$life" .
    expect_match 'already' "$err"
    expect_exit 128 git scad session cp alpha:/tmp/none .
    expect_match 'No such file' "$err"
    expect_exit 128 git scad session cp none alpha:/tmp
    expect_exit 128 git scad session cp secret alpha:/usr/
    expect_exit 128 git scad session cp alpha:code/README.md none/
done
expect_exit 129 git scad session cp secret secret2
expect_exit 129 git scad session cp alpha:a alpha:b
expect_exit 129 git scad session cp alpha:a
expect_exit 128 git scad session cp --limit 1MB alpha:/tmp/live big
expect_match 'limit' "$err"
[[ ! -e big ]] || fail "what was over the limit is there"

# What came into a stopped session is saved with it.
git scad session stop -q alpha
git scad session cp -q secret alpha:code/later
git scad session rm -q alpha
expect_same secret "$(git -C "$code" show refs/scad-session/alpha/wip:later)"
git scad session undelete -q alpha
git scad session resume -q alpha

# Links are never followed, whoever laid them where; what leads out stays out, and is told.
inside alpha code 'mkdir /tmp/trap && cd /tmp/trap && ln -s "$1/secret" s && ln -s .. up && mkfifo pipe && echo x >x &&
    git init -q repo && ln -s /tmp/trap /tmp/way' "$trash"
expect_exit 1 git scad session cp alpha:/tmp/trap trap
expect_same "repo x" "$(find trap -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)"
[[ ! -e trap/repo/.git ]] || fail "a git directory came out of the session"
for told in '1 sockets, FIFOs' '2 links' '1 parts of git'; do expect_match "left out $told" "$err"; done
expect_exit 128 git scad session cp alpha:/tmp/way .
expect_match 'is a link' "$err"
ln -s "$trash/secret" here
expect_exit 128 git scad session cp here alpha:/tmp
expect_exit 0 git scad session cp alpha:/tmp/trap/x here
expect_same secret "$(<secret)"

# Killed at any moment: nothing, or all of it; and nothing of it is left after the next one.
head -c 30000000 /dev/urandom >tree/more
for pause in 5 15 25 40 60 90 130; do
    for way in in out; do
        rm -rf got
        git scad session exec alpha -- rm -rf /tmp/got
        if [[ $way == in ]]; then what=(tree alpha:/tmp/got); else what=(alpha:/tmp/live got); fi
        git-scad session cp "${what[@]}" >"$out" 2>"$err" &
        pid=$!
        sleep "0.$(printf %03d "$pause")"
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        if [[ $way == in ]]; then
            git scad session exec alpha -- sh -c 'sleep 0.1; ! test -e /tmp/got || { cmp -s /tmp/got/sub/random - && test -e /tmp/got/sparse; }' <tree/sub/random ||
                fail "half of it is there"
        elif [[ -e got ]]; then
            cmp got/sub/random tree/sub/random
        fi
    done
done
git scad session cp -q secret alpha:/tmp/last
git scad session cp -q alpha:/tmp/last .
expect_same "" "$(find . -maxdepth 1 -name '.scad-cp-*')"
expect_same "" "$(git scad session exec alpha -- find /tmp -maxdepth 1 -name '.scad-cp-*')"
# Interrupted, it tidies up by itself.
git scad session exec alpha -- truncate -s 15G /tmp/zero
timeout --preserve-status -s INT 0.3 git-scad session cp alpha:/tmp/zero zero >"$out" 2>"$err" && fail "it ended"
expect_same "" "$(find . -maxdepth 1 -name '.scad-cp-*' -o -name zero)"
