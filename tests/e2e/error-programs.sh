#!/usr/bin/env bash
# Would catch: a program or a right that this host lacks and that is not named, or named without what mends it.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

# A PATH without them: the programs of the system by links, but for some.
path_without() { # <program>…
    local program folder
    folder=$(mktemp -d "$trash/path.XXXXXX")
    for program in /usr/bin/*; do
        [[ " $* " == *" ${program##*/} "* ]] || ln -s "$program" "$folder/"
    done
    echo "$SCAD_TEST_BIN:$folder"
}

without_bwrap=$(path_without bwrap)
PATH=$without_bwrap expect_exit 128 git scad session start atlas beta
expect_match '^fatal: .*(bubblewrap|bwrap)' "$err"
expect_match '^hint: .*apt(-get)? install bubblewrap' "$err"
expect_match '^alpha' "$(git scad session list --porcelain)"
expect_same 1 "$(git scad session list --porcelain | wc -l)"
expect_same scad/alpha "$(git -C "$code" remote)"
PATH=$without_bwrap expect_exit 1 git scad doctor
expect_match 'bubblewrap' "$out"
expect_match 'apt(-get)? install bubblewrap' <(cat "$out" "$err")
git scad session stop -q alpha
PATH=$without_bwrap expect_exit 128 git scad session resume alpha
expect_match 'bubblewrap|bwrap' "$err"
expect_exit 0 git scad session resume alpha

without_git=$(path_without git)
PATH=$without_git expect_exit 128 git-scad status
expect_match "^fatal: .*'git'" "$err"
PATH=$without_git expect_exit 0 git-scad version

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
expect_exit 128 git -c scad.stateDir="$trash/read-only/state" scad session start atlas beta
expect_match "^fatal: .*$trash/read-only" "$err"
expect_exit 128 git -c scad.engine=podman scad session start atlas beta
expect_match 'podman' "$err"
expect_exit 128 git scad session start --engine nosuch atlas beta
expect_match "nosuch" "$err"
expect_exit 128 git -C / -c scad.docs="$trash/none" scad session start atlas beta
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
