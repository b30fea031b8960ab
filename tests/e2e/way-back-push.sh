#!/usr/bin/env bash
# What would be caught: a push into a session that does not arrive, that is refused without the reason, or that runs the
# session's hooks on the host.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha
git -C "$code" switch -q -c fix
echo fix >"$code/fix.txt"
git -C "$code" add fix.txt
git -C "$code" commit -q -m fix
fix=$(tip "$code" fix)
base=$(tip "$code" main)

in_session() { # <ref>: its id in the session's clone
    inside alpha code 'git rev-parse -q --verify "$1" || :' "$1"
}

for life in live stopped; do
    # What the hooks tell comes to the user; where they ran shows what they see.
    inside alpha code '
        for hook in pre-receive post-receive reference-transaction; do
            printf "#!/bin/sh\necho \"hook in \$(pwd) with \$(test -e %s && echo the host || echo the sandbox)\"\nprintf \"\\\\033[31mred\\\\n\"\ntest -z \"\$GIT_PUSH_OPTION_0\" || echo \"option \$GIT_PUSH_OPTION_0\"\n" "$1" >.git/hooks/$hook
            chmod +x .git/hooks/$hook
        done' "$trash"
    [[ $life == live ]] || git scad session stop -q alpha

    expect_exit 0 git -C "$code" push scad/alpha fix:main
    expect_match 'remote: hook in /work/code/.git with the sandbox' "$err"
    expect_no_match 'the host' "$err"
    expect_no_match $'\x1b' "$err"
    [[ ! -s $out ]] || fail "a push wrote on its standard output"
    expect_exit 0 git -C "$code" push -o ci.skip scad::alpha fix:other
    expect_match 'option ci.skip' "$err"

    # Not fast-forward; then by force; then away with it.
    expect_exit 1 git -C "$code" push scad/alpha main:main
    expect_exit 0 git -C "$code" push -q --force scad/alpha main:main
    expect_exit 0 git -C "$code" push -q scad/alpha :other
    # A lease is by the id that is expected there.
    expect_exit 1 git -C "$code" push -q --force-with-lease="main:$fix" scad/alpha fix:main
    expect_exit 0 git -C "$code" push -q --atomic --force-with-lease="main:$base" scad/alpha fix:main
    git scad session resume -q alpha
    expect_same "$fix" "$(in_session refs/heads/main)"
    expect_same "" "$(in_session refs/heads/other)"
    expect_same "$base" "$(in_session refs/heads/alpha)"
    git -C "$code" push -q scad/alpha :main
    expect_same "" "$(in_session refs/heads/main)"
done

# The session sees what was pushed as any clone does.
git -C "$code" push -q scad/alpha fix
inside alpha code 'git merge -q fix; test -f fix.txt'
git -C "$code" fetch -q scad/alpha
expect_tip "$code" scad/alpha "$fix"
