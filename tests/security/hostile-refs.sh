#!/usr/bin/env bash
# What would be caught: a ref of a session's that trips git or a terminal on the host, lands outside the session's own refs,
# or keeps honest ones from arriving.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

# Names that git itself takes.
hostile names '
    head=$(git rev-parse HEAD)
    for name in "$(printf "c1-\302\233")" "$(printf "bidi-\342\200\256")" -option --upload-pack=x HEAD head/HEAD "dollar\$(id)" "back\`id\`" \
        "semi;id" "pipe|id" "quote\"x" "and&id" "per%cent" "a=b" wip; do
        git update-ref "refs/heads/$name" "$head"
    done
    long=$(printf "%0230d" 1)
    git update-ref "refs/heads/$long" "$head"
    for name in refs/tags/v1 refs/remotes/scad/other/main refs/remotes/origin/evil refs/scad-session/other/wip refs/scad-session/names/base \
        refs/session/forged refs/session-lost/1/x refs/scad/wips/x refs/scad/wip2 refs/scad/base refs/replace/$(git rev-parse honest) refs/notes/commits refs/heads/a/b/c; do
        git update-ref "$name" "$head"
    done
    git tag -a -m tag v2'
[[ -n $(tip "$state/sessions/names/repos/code/git" "refs/heads/c1-"$'\xc2\x9b') ]] || fail "the names are not even there"
survive names

# Refs in files that no git would have written.
hostile written '
    head=$(git rev-parse HEAD)
    blob=$(git hash-object -w README.md)
    tree=$(git rev-parse "HEAD^{tree}")
    tag=$(printf "object %s\ntype commit\ntag t\ntagger A <a@b> 1 +0000\n\nm\n" "$head" | git hash-object -t tag -w --stdin)
    git pack-refs --all
    {
        grep -v "^#" .git/packed-refs
        printf "%s refs/heads/\033[31mred\n" "$head"
        printf "%s refs/heads/df\n%s refs/heads/df/below\n" "$head" "$head"
        printf "%s refs/heads/x.lock\n" "$head"
    } >/tmp/packed
    mv /tmp/packed .git/packed-refs
    echo "$blob" >.git/refs/heads/blob
    echo "$tree" >.git/refs/heads/tree
    echo "$tag" >.git/refs/heads/tag
    echo 0123456789012345678901234567890123456789 >.git/refs/heads/absent
    echo nonsense >.git/refs/heads/nonsense
    printf "%s" "" >.git/refs/heads/empty
    echo "ref: refs/heads/loop" >.git/refs/heads/loop
    echo "ref: ../../../../etc/passwd" >.git/refs/heads/outside
    echo "ref: refs/heads/honest" >.git/refs/heads/symbolic
    echo "$head" >".git/refs/heads/$(printf "esc-\033]0;x\007")"'
git -C "$code" fetch scad/written 2>"$trash/told"
for branch in blob tree tag absent df/below; do expect_match "refs/heads/$branch' does not come" "$trash/told"; done
survive written

# More refs than a session may have.
hostile thousands '
    head=$(git rev-parse HEAD)
    git show-ref >/tmp/all
    for number in $(seq 100000 120000); do echo "$head refs/heads/many/$number"; done >>/tmp/all
    { echo "# pack-refs with: peeled fully-peeled sorted "; LC_ALL=C sort -k2 /tmp/all; } >/tmp/packed
    rm -rf .git/refs/heads/*
    mv /tmp/packed .git/packed-refs'
git -C "$code" fetch -q scad/thousands 2>"$trash/told"
expect_tip "$code" scad/thousands/honest "$honest"
expect_match 'a session may have 2000' "$trash/told"
[[ $(git -C "$code" for-each-ref refs/remotes/scad/thousands | wc -l) -le 2001 ]] || fail "more refs came than may"
for command in "git -C $code fetch scad/thousands" "git scad code fetch thousands" "git scad code log thousands" "git scad status" \
    "git scad session stop thousands" "git -C $code fetch scad/thousands" "git scad session rm thousands" "git scad code prune thousands"; do
    # shellcheck disable=SC2086 # words
    on_host $command
done
[[ ! -d $state/sessions/thousands ]] || fail "the session cannot be removed"
no_damage thousands
