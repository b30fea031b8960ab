#!/usr/bin/env bash
# Would catch: two builds at once that do the work twice, an environment that is pruned under a session or listed wrongly,
# `--no-cache` that changes what a session stands on, or takes what was there.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

make_project '[environment]' 'network = "none"' '[[environment.setup]]' \
    'run = "mkdir code/made; cat /proc/sys/kernel/random/uuid >code/made/id; sleep 0.3"' '[[environment.setup]]' \
    'run = "test ! -e /var/cache/scad/npm/marker; mkdir -p /var/cache/scad/npm; echo x >/var/cache/scad/npm/marker; cp code/made/id /opt/scad/id"'
environments() { find "$state/environments" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' -exec test -d '{}/' ';' -print | grep -cE '/[0-9a-f]{40}$' || true; }

git scad build --list
git-scad build atlas 2>one.err &
first=$!
git-scad build atlas 2>two.err &
wait $! $first
done_steps=$(cat one.err two.err | grep -c '^\[[12]/2\] setup: .* s$')
expect_same 2 "$done_steps"
expect_match 'up to date|baked environment' one.err
expect_match 'up to date|baked environment' two.err
expect_same 1 "$(environments)"

expect_exit 0 git scad session start -q atlas alpha
id=$(in_session alpha cat /work/code/made/id)
expect_same "$id" "$(in_session alpha cat /opt/scad/id)"
expect_exit 0 git scad build --list
expect_match '^[0-9a-f]+ +atlas +host +[0-9.]+ [KM]iB +.* alpha$' "$out"

# All anew, with no cache of packages either (the step fails over one that was used); the session keeps its own.
expect_exit 0 git scad build --no-cache atlas
expect_match '^\[1/2\] setup: .* s$' "$err"
expect_match '^\[2/2\] setup: .* s$' "$err"
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"
expect_exit 0 git scad session start -q atlas beta
[[ $(in_session beta cat /work/code/made/id) != "$id" ]] || fail "--no-cache took what was there"
expect_same "$id" "$(in_session alpha cat /work/code/made/id)"
git scad session stop -q alpha
git scad session resume -q alpha
expect_same "$id" "$(in_session alpha cat /opt/scad/id)"
expect_exit 0 git scad build --list
expect_same 2 "$(grep -c atlas "$out")"

# What a session uses stays, a removed one that can be brought back among them.
expect_exit 0 git scad build --prune
expect_match 'every environment is in use' "$err"
git scad session rm -q alpha
expect_exit 0 git scad build --prune
git scad session undelete alpha
git scad session resume -q alpha
expect_same "$id" "$(in_session alpha cat /opt/scad/id)"
git scad session rm -q --purge beta
expect_exit 0 git scad build --prune
expect_match '^removed environment [0-9a-f]+$' "$err"
expect_same 1 "$(environments)"
expect_same "$id" "$(in_session alpha cat /work/code/made/id)"
# The newest is gone; the one that is there is found again.
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"
git scad session rm -q --purge alpha
expect_exit 0 git scad build --prune
expect_same 0 "$(environments)"
expect_same "" "$(ls "$state/environments/layers")"

# A session whose environment was taken away is said to be damaged, and is mended by a build.
rm -rf "$XDG_CACHE_HOME/scad"
git scad build -q atlas
git scad session start -q atlas gamma
git scad session stop -q gamma
mv "$state/environments/layers" gone
expect_exit 0 git scad session list
expect_match '^gamma .*damaged' "$out"
expect_exit 128 git scad session resume gamma
expect_match '^hint: git scad build atlas' "$err"
rm -rf "$XDG_CACHE_HOME/scad" gone
git scad build -q atlas
expect_exit 0 git scad session resume gamma
for options in '--list --prune' '--no-cache --list' '--list atlas'; do
    # shellcheck disable=SC2086 # words
    expect_exit 129 git scad build $options
done
