#!/usr/bin/env bash
# Would catch: a killed rm, stop, undelete or snapshot after which work is gone, the session cannot be named, or the next command does not finish what was begun.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"

make_project
work() { inside "$1" code 'echo "$1" >committed; git add committed; git commit -qm "$1"; echo "$1" >uncommitted' "$2"; }

# The work of <session> is whole: in it, or in the host.
check_work() { # <word>
    if git scad session list --porcelain | grep -q '^alpha	'; then
        expect_exit 0 git scad session resume -q alpha
        expect_same "$1 $1" "$(inside alpha code 'echo $(cat committed uncommitted)')"
        git scad session snapshot -q alpha # no job of it has ended since
        git -C "$code" fetch -q scad/alpha
    else
        expect_same "" "$(git -C "$code" remote)"
    fi
    expect_same "$1" "$(git -C "$code" show scad/alpha:committed)"
    expect_same "$1" "$(git -C "$code" show refs/scad-session/alpha/wip:uncommitted)"
}

start alpha
work alpha zero
rm_it() { git-scad session rm -q alpha; }
took=$(milliseconds rm_it)
git scad session undelete -q alpha
steps=12
outcomes=
for ((n = 0; n <= steps; ++n)); do
    git scad session resume -q alpha
    inside alpha code 'rm -f uncommitted; git reset -q --hard HEAD'
    work alpha "word $n"
    kill_after $((took * n / steps)) git-scad session rm -q alpha
    # What it had started may be in the middle of something.
    expect_exit 0 git scad session list --porcelain
    now=$(cut -f3 "$out")
    outcomes+=" ${now:-removed}"
    ! grep -q 'finished the removal' "$err" || outcomes+="(finished)"
    case $now in
        live | stopped | lost)
            check_work "word $n"
            ;;
        "")
            expect_exit 0 git scad session list --trash
            expect_match '^alpha ' "$out"
            check_work "word $n"
            expect_exit 0 git scad session undelete -q alpha
            ;;
        *) fail "after $((took * n / steps)) ms the session is '$now'" ;;
    esac
    expect_match '^alpha	' "$(git scad session list --porcelain)"
done
echo "killed at steps of $((took / steps)) ms:$outcomes" >&2
expect_match 'live|stopped|lost' "$outcomes"

# undelete: once more does it.
for pause in 0 5 10 20 40 80; do
    git scad session rm -q alpha 2>/dev/null || true
    kill_after $pause git-scad session undelete -q alpha
    git scad session list --porcelain | grep -q '^alpha	' || expect_exit 0 git scad session undelete -q alpha
    expect_exit 0 git scad session resume -q alpha
    expect_same scad/alpha "$(git -C "$code" remote)"
    expect_same "word $steps" "$(inside alpha code 'cat uncommitted')"
done

# stop, and a snapshot that goes on without whoever asked for it.
for pause in 0 10 30 60 120; do
    inside alpha code 'echo "$1" >uncommitted' "pause $pause"
    kill_after $pause git-scad session snapshot -q alpha
    kill_after $pause git-scad session stop -q alpha
    expect_exit 0 git scad session resume -q alpha
    expect_same "pause $pause" "$(inside alpha code 'cat uncommitted')"
    expect_exit 0 git scad session snapshot -q alpha
    git -C "$code" fetch -q scad/alpha
    expect_same "pause $pause" "$(git -C "$code" show refs/scad-session/alpha/wip:uncommitted)"
done

# --purge: nothing is left half, neither here nor there.
for pause in 20 60 120 200 300; do
    kill_after $pause git-scad session rm -q --purge alpha
    git scad session list --porcelain >list
    if [[ -s list ]]; then
        expect_exit 0 git scad session rm -q --purge alpha
    elif git scad session list --trash 2>/dev/null | grep -q '^alpha '; then
        expect_exit 0 git scad session rm -q --purge alpha
    fi
    expect_same "" "$(find "$state/sessions" "$state/trash" -mindepth 1 -maxdepth 1 -name '*alpha*')"
    expect_same "" "$(git -C "$code" remote)"
    expect_same "pause 120" "$(git -C "$code" show refs/scad-session/alpha/wip:uncommitted)"
    git scad code prune -q alpha
    expect_same "" "$(git -C "$code" for-each-ref refs/scad-session refs/remotes)"
    start alpha
    inside alpha code 'echo "pause 120" >uncommitted'
done
git -C "$code" fsck --no-dangling >&2
