#!/usr/bin/env bash
# What the quarantine costs beside a fetch from a plain path.
. "$(dirname "$0")/lib.sh"

make_project
git scad build atlas
git scad session start -q atlas alpha
git clone -q "$code" plain
git -C "$code" remote add plain "$trash/plain"
commit='echo {} >>file; git add file; git commit -qm "{}"'
plain_news=$(median_of 5 --before "cd '$trash/plain' && $commit" git -C "$code" fetch -q plain)
scad_news=$(median_of 5 --before "git scad session exec alpha -- sh -c 'cd /work/code && $commit'" git -C "$code" fetch -q scad/alpha)
compare "git fetch from a session, news" "$scad_news" "from a plain path" "$plain_news"
compare "git fetch from a session, no news" "$(median_of 5 git -C "$code" fetch -q scad/alpha)" "from a plain path" "$(median_of 5 git -C "$code" fetch -q plain)"
bench_end
