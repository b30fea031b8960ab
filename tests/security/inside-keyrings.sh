#!/usr/bin/env bash
# What would be caught: a session that finds keys in the kernel of the login that it was started from.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"

name=scad-test-$$-$RANDOM
logged_in() { "$probe" with-key "$name" "a secret key" "$@"; }
logged_in true || skip "this kernel keeps no keys"
make_project
git scad build -q atlas
logged_in git scad session start -q atlas alpha >/dev/null
bring_probe alpha

in_login() { logged_in git scad session exec alpha -- /tmp/probe "${@:2}"; }
in_vain in_login find-key "$name"
expect_match '^closed: EPERM$' "$said"
works logged_in find-key "$name"
expect_match '^key: a secret key$' "$said"
# User name spaces and all others alone do not take it away: what a process has of a login it keeps.
logged_in_apart() { logged_in bwrap --unshare-all --bind / / --dev /dev --proc /proc "$@"; }
works logged_in_apart find-key "$name"
in_vain plain find-key "$name" # nor is it there by chance

tried alpha logged_in request-key "$name"
tried alpha plain add-key "$name-inside" "from inside"
in_vain alpha add-key "$name-inside" "from inside"
expect_match '^closed: EPERM$' "$said"
for file in /proc/keys /proc/key-users; do in_vain alpha read "$file"; done
works plain read /proc/key-users

# Resumed from another login it is the same.
git scad session stop -q alpha
logged_in git scad session resume -q alpha
in_vain alpha find-key "$name"
