#!/usr/bin/env bash
# Would catch: a program or a right that this host lacks and that is not named, or named without what mends it.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

# As on a host that lacks a program: something that is none lies over it, for this command alone.
without() { # <program> <command>…
    # shellcheck disable=SC2016 # the inner shell expands
    unshare --user --map-root-user --mount sh -euc '
        program=$1 user=$2 group=$3
        shift 3
        mount --bind /dev/null "$program"
        exec unshare --user --map-user="$user" --map-group="$group" -- "$@"' sh "/usr/bin/$1" "$UID" "$(id -g)" "${@:2}"
}

expect_exit 128 without bwrap git scad session start atlas beta
expect_match "^fatal: cannot find 'bwrap'" "$err"
expect_match '^hint: sudo apt install bubblewrap' "$err"
expect_same alpha "$(git scad session list --porcelain | cut -f1)"
expect_same scad/alpha "$(git -C "$code" remote)"
expect_exit 1 without bwrap git scad doctor
expect_match 'bubblewrap' "$out"
expect_match 'sudo apt install bubblewrap' "$out"
git scad session stop -q alpha
expect_exit 128 without bwrap git scad session resume alpha
expect_match "cannot find 'bwrap'" "$err"
expect_match "cannot (start|resume) session 'alpha'" "$err"
expect_match "^hint: sudo apt install bubblewrap" "$err"
expect_exit 0 git scad session resume alpha
# What there is already can be looked at without it.
expect_exit 0 without bwrap git scad status
expect_exit 0 without bwrap git scad session show alpha

expect_exit 128 without git git-scad status
expect_match "^fatal: .*'git'" "$err"
expect_exit 0 without git git-scad version

# An agent, and its credentials: no job is made.
expect_exit 128 git scad inject alpha -m words
expect_match "^fatal: .*claude" "$err"
expect_match '^hint: .*npm install -g @anthropic-ai/claude-code' "$err"
expect_exit 128 git scad inject alpha --agent gemini -m words
expect_match "gemini" "$err"
expect_same "" "$(git scad job list --porcelain alpha)"

# Places that cannot be written, and an unknown engine.
mkdir read-only
chmod 555 read-only
expect_exit 128 git -c scad.stateDir="$trash/read-only/state" scad config trust --yes atlas
expect_match "^fatal: .*$trash/read-only" "$err"
expect_exit 128 git -c scad.engine=podman scad session start atlas beta
expect_match 'podman' "$err"
expect_exit 128 git scad session start --engine nosuch atlas beta
expect_match "nosuch" "$err"
GIT_CONFIG_GLOBAL=/dev/null expect_exit 128 git -C / -c scad.docs="$trash/none" scad session start atlas beta
expect_match "^fatal: " "$err"
# A newer scad has written this.
sed 's/"version": 1/"version": 99/' "$state/sessions/alpha/session.json" >newer
cp "$state/sessions/alpha/session.json" older
cp newer "$state/sessions/alpha/session.json"
expect_exit 128 git scad session exec alpha -- true
expect_match '99' "$err"
expect_match '^alpha	.*	damaged	' "$(git scad session list --porcelain)"
cp older "$state/sessions/alpha/session.json"
expect_exit 0 git scad session exec alpha -- true

# What is said where nobody is root, and what root is told: sessions are not for it.
if unshare --user --map-root-user true 2>/dev/null; then
    status=0
    unshare --user --map-root-user git-scad session start atlas beta >"$out" 2>"$err" || status=$?
    expect_same 128 "$status"
    expect_match '^fatal: .*root' "$err"
    expect_match '^hint: ' "$err"
fi
