#!/usr/bin/env bash
# What would be caught: a session that reaches a socket of a service of the host, which keeps it below /opt: a read-only bind
# stops nobody from connecting.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas --name opt >/dev/null
git scad session exec opt -- cat /proc/self/mountinfo >mounts
# Mount point, and after the "-" the file system.
awk '$5 ~ "^/opt/" && $5 !~ "^/opt/scad(/|$)" { for (i = 6; i <= NF; i++) if ($i == "-") print $5, $(i + 1) }' mounts >optional
[[ -s optional ]] || skip "nothing is in /opt"
! grep -v ' overlay$' optional || fail "these are bound as they are"
