#!/usr/bin/env bash
# Would catch: --base that starts elsewhere, pins something else, shows a wrong origin/<branch>, or takes a typo for a revision.
. "$(dirname "$0")/../support/world.sh"

make_project
git -C "$code" tag -a -m one v1
first=$(git -C "$code" rev-parse main)
git -C "$code" commit -q --allow-empty -m "second"
second=$(git -C "$code" rev-parse main)
git -C "$code" switch -q -c topic "$first"
echo topic >"$code/topic.txt"
git -C "$code" add -A
git -C "$code" commit -q -m "on a topic"
topic=$(git -C "$code" rev-parse topic)
git -C "$code" switch -q main
git init -q --bare server.git
git -C "$code" remote add origin "$trash/server.git"
git -C "$code" push -q origin topic:far
git -C "$code" update-ref -d refs/remotes/origin/far
git -C "$code" fetch -q
code_before=$(host_state "$code")

git scad build -q atlas
number=0
# starts_at <value of --base for code> <commit> <branch of origin that it is, or nothing>
starts_at() {
    local name=s$((++number)) refs
    git scad session start -q atlas "$name" --base "code=$1" --base docs=main >/dev/null
    expect_same "$2" "$(git scad session exec -w /work/code "$name" -- git rev-parse HEAD)"
    expect_same "" "$(git scad session exec -w /work/code "$name" -- git status --porcelain)"
    refs="refs/heads/$name"$'\n'
    [[ -z $3 ]] || refs+="refs/remotes/origin/HEAD"$'\n'"refs/remotes/origin/$3"$'\n'
    expect_same "${refs%$'\n'}" "$(git scad session exec -w /work/code "$name" -- git for-each-ref --format='%(refname)' refs/heads refs/remotes)"
    [[ -z $3 ]] || expect_same "$2" "$(git scad session exec -w /work/code "$name" -- git rev-parse "origin/$3")"
    # On the host: what it stands on stays, and its remote starts there.
    expect_same "$2" "$(git -C "$code" rev-parse "refs/scad-session/$name/base")"
    expect_same "$2" "$(git -C "$code" rev-parse "scad/$name")"
    expect_same "main" "$(git scad session show --json "$name" | python3 -c '
import json, sys
print(next(r["base_branch"] for r in json.load(sys.stdin)["repos"] if r["name"] == "docs"))')"
    git scad session rm -q --purge "$name"
}
starts_at topic "$topic" topic
starts_at refs/heads/topic "$topic" topic
starts_at v1 "$first" ""
starts_at main~1 "$first" ""
starts_at "${second:0:12}" "$second" ""
starts_at HEAD "$second" main
starts_at origin/far "$topic" far
starts_at remotes/origin/far "$topic" far
expect_same "$code_before" "$(host_state "$code")"

# Several sessions, and dispatch.
git scad session start -q atlas -n 2 --name many --base code=topic >/dev/null
for name in many-1 many-2; do expect_same "$topic" "$(git scad session exec -w /work/code "$name" -- git rev-parse HEAD)"; done
expect_exit 0 git scad dispatch atlas --name sent --base code=v1 --wait -- git -C /work/code rev-parse HEAD
expect_match "^$first\$" "$out"

# The base is the pin's to keep, whatever becomes of the branch that it was.
git -C "$code" branch -q -D topic
git -C "$code" push -q origin :far
git -C "$code" reflog expire --expire=now --all
git -C "$code" gc -q --prune=now
expect_same "topic" "$(git scad session exec -w /work/code many-1 -- git show HEAD:topic.txt)"

refused() { # <status> <expected line> <option>…
    local status=$1 line=$2
    shift 2
    expect_exit "$status" git scad session start atlas never "$@"
    expect_match "$line" "$err"
    [[ ! -e $state/sessions/never ]] || fail "it started all the same"
}
refused 128 "^fatal: repo 'code' at '$code' has no revision 'nope'" --base code=nope
refused 128 "^fatal: repo 'docs' at '$docs' has no revision 'v1'" --base docs=v1
refused 129 "project 'atlas' has no repo 'coda'" --base coda=main
refused 129 "did you mean 'code'" --base coda=main
refused 129 "wants <repo>=<revision>, not 'main'" --base main
refused 129 "names repo 'code' twice" --base code=main --base code=topic
refused 129 "must not start with '-'" --base code=--all
refused 129 "a range" --base code=main..topic
