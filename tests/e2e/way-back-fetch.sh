#!/usr/bin/env bash
# What would be caught: a way to fetch that plain git has and a session's remote lacks, live or stopped; a fetch that
# changes more of the host repo than that session's refs.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
git clone -q --bare "$code" "$trash/origin.git"
git -C "$trash/origin.git" branch topic
git -C "$code" remote add origin "$trash/origin.git"
git -C "$code" fetch -q origin
git -C "$code" worktree add -q --detach "$trash/linked"

start alpha
commit alpha code topic topic >/dev/null
inside alpha code 'git tag -a -m nine v9 topic'
docs_tip=$(commit alpha docs alpha words)
before=$(host_state "$code")

# Between start and the first fetch the names are there already.
expect_tip "$code" scad/alpha "$(tip "$code" main)"

fetch_every_way() { # <id of the work branch> <folder for clones>
    local id=$1 to=$2
    mkdir "$to"

    git -C "$code" fetch -q scad/alpha
    expect_tip "$code" refs/remotes/scad/alpha/alpha "$id"
    expect_tip "$code" scad/alpha "$id"
    git -C "$code" fetch -q scad/alpha # no news

    local from where
    for from in scad::alpha scad::alpha/code scad://alpha/code; do
        for where in "$code" "$code/src" "$trash/linked"; do
            git -C "$where" fetch -q "$from"
            expect_tip "$where" FETCH_HEAD "$id"
        done
    done
    (cd / && GIT_DIR=$code/.git git fetch -q scad::alpha)
    (cd "$code" && GIT_DIR=.git git fetch -q scad::alpha)
    git -C "$code" fetch -q scad::alpha/docs
    expect_tip "$code" FETCH_HEAD "$docs_tip"

    git clone -q scad::alpha/code "$to/clone"
    expect_tip "$to/clone" alpha "$id"
    expect_same "" "$(git -C "$to/clone" status --porcelain)"
    git clone -q --depth=1 scad::alpha/code "$to/shallow"
    expect_same 1 "$(git -C "$to/shallow" rev-list --count HEAD)"
    git -C "$to/shallow" fetch -q --unshallow
    expect_same "$(git -C "$to/clone" rev-list --count HEAD)" "$(git -C "$to/shallow" rev-list --count HEAD)"
    git clone -q --filter=blob:none --no-checkout scad::alpha/code "$to/partial"
    expect_match '^\?' "$(git -C "$to/partial" rev-list --objects --missing=print HEAD)"
    git -C "$to/partial" checkout -q # what is missing is fetched now

    git -C "$code" ls-remote scad/alpha >"$to/listing"
    expect_match "^$id.refs/heads/alpha$" "$to/listing"
    expect_match "^$id.refs/session/alpha$" "$to/listing"
    expect_no_match 'refs/(tags|incoming|quarantine)' "$to/listing"
    git -c protocol.version=0 ls-remote scad::alpha/code | diff - "$to/listing" >&2
    GIT_TRACE_PACKET=1 git ls-remote scad::alpha/code 2>"$to/v2" >/dev/null
    expect_match '< version 2' "$to/v2"
    GIT_TRACE_PACKET=1 git -c protocol.version=0 ls-remote scad::alpha/code 2>"$to/v0" >/dev/null
    expect_no_match 'version 2' "$to/v0"

    expect_match '^topic.txt$' "$(git archive --remote=scad::alpha/code topic | tar -t)"
    expect_match '^src/main.txt$' "$(git -C "$code" archive --remote=scad/alpha HEAD | tar -t)"

    git -C "$trash/linked" pull -q scad/alpha alpha
    expect_tip "$trash/linked" HEAD "$id"
    git -C "$trash/linked" reset -q --hard main
    git -C "$trash/linked" merge -q scad/alpha
    expect_tip "$trash/linked" HEAD "$id"
}

for life in live stopped; do
    id=$(commit alpha code alpha "$life")
    inside alpha code 'echo "$1" >>README.md; echo "$1" >new.txt' "not committed, $life"
    if [[ $life == live ]]; then git scad session snapshot -q alpha; else git scad session stop -q alpha; fi
    fetch_every_way "$id" "$trash/$life"
    # What was not committed came too, new files as well.
    expect_match "not committed, $life" "$(git -C "$code" show refs/scad-session/alpha/wip:README.md)"
    expect_match "not committed, $life" "$(git -C "$code" show refs/scad-session/alpha/wip:new.txt)"
    expect_tip "$code" refs/scad-session/alpha/wip^1 "$id"
    expect_same "$before" "$(host_state "$code")"
    expect_same "" "$(git -C "$code" tag)"
    expect_match "^alpha	atlas	$life	" "$(git scad session list --porcelain)"
done

# A fetch of everything asks no session.
GIT_TRACE=1 git -C "$code" fetch -q --all 2>"$trash/all"
expect_match 'fetch' "$trash/all"
expect_no_match 'remote-scad' "$trash/all"
# A name that origin and the session have is origin's; one that only the session has is none of the host's.
git -C "$trash/linked" switch -q topic
expect_tip "$trash/linked" HEAD "$(tip "$code" origin/topic)"
expect_exit 128 git -C "$trash/linked" switch alpha
expect_match 'invalid reference' "$err"
git -C "$trash/linked" switch -q --track -c mine scad/alpha/topic
