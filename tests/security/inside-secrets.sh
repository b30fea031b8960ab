#!/usr/bin/env bash
# What would be caught: a secret of one session's job that another session, a later job, a file or a log shows.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
export TEST_TOKEN=tok-51d0c7a2-secretword
begin_inside '[agent]' 'use = "command"' 'env = ["TEST_TOKEN"]'
begin_session beta

# A job that has it, and waits.
git scad inject -q -d alpha -- sh -c 'echo "I have $TEST_TOKEN"; echo "$TEST_TOKEN" | rev; touch /tmp/running; exec sleep 100' >/dev/null
wait_for 10 test -e "$state/sessions/alpha/tmp/running"
works alpha see tok-51d0c7a2- secretword # of its own session: no secret from that
in_vain beta see tok-51d0c7a2- secretword
works plain see tok-51d0c7a2- secretword

# Not in any file of scad's, nor in an argument; not even where the job printed it.
shown() { grep -rlaF "$TEST_TOKEN" "$state" "$HOME" 2>/dev/null || :; }
expect_same "" "$(shown)"
expect_same "" "$(grep -lsaF "$TEST_TOKEN" /proc/[0-9]*/cmdline || :)"
expect_match '^I have ' "$(git scad job logs alpha:1)"
expect_no_match "$TEST_TOKEN" "$(git scad job logs alpha:1; git scad job show alpha:1; git scad session show --json alpha; git scad status --json)"
echo "$TEST_TOKEN" >"$HOME/leak"
expect_same "$HOME/leak" "$(shown)" # it would be found
rm "$HOME/leak"

# After the job nothing of it is left for the next one.
git scad job cancel -q alpha:1
wait_for 10 sh -c 'git scad job list --porcelain alpha | grep -q cancelled'
in_vain alpha see tok-51d0c7a2- secretword
git scad session exec alpha -- env >"$trash/env"
expect_no_match TEST_TOKEN "$trash/env"
# Nor in the supervisor's own environment, which all its children would have.
expect_exit 0 env -u TEST_TOKEN git scad session stop -q alpha
expect_exit 0 git scad session resume -q alpha
expect_no_match TEST_TOKEN "$(in_session alpha env)"
# Names that nobody has asked for are not handed on at all.
OTHER_SECRET=other-secret git scad inject -q alpha -- sh -c 'env >/tmp/env' >/dev/null
expect_no_match 'OTHER_SECRET|GIT_AUTHOR|XDG_|SCAD_TEST' "$state/sessions/alpha/tmp/env"
expect_match "^TEST_TOKEN=$TEST_TOKEN" "$state/sessions/alpha/tmp/env"
