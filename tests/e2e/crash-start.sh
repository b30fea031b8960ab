#!/usr/bin/env bash
# Would catch: a killed `session start` or `build` that leaves a half-made session, a remote or a ref that stays, a lock that blocks, or a name that nobody can use again.
. "$(dirname "$0")/../support/world.sh"
. "$support/crash.sh"

make_project
code_before=$(host_state "$code")

# The trees are made at once or not at all.
for pause in 5 20 40 60 80 120; do kill_after $pause git-scad build atlas; done
expect_exit 0 git scad build atlas
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"

start() { git-scad session start -q atlas alpha; }
took=$(milliseconds start)
git scad session rm -q --purge alpha
git scad code prune -q alpha

# Whatever git is asked in a host repo, a half-made session is not seen: its remote comes last.
check_hosts() { # <is there a session: yes or no>
    local repo
    for repo in "$code" "$docs"; do
        git -C "$repo" fetch -q --all
        git -C "$repo" config --local test.written yes
        git -C "$repo" config --local --unset test.written
        [[ $1 == yes ]] || expect_same "" "$(git -C "$repo" remote)"
        # Without a session nothing but what pins its base is left, and the next start of the name takes that.
        [[ $1 == yes ]] || expect_same "" "$(git -C "$repo" for-each-ref --format='%(refname)' refs/scad-session refs/remotes/scad |
            grep -Ev '^refs/scad-session/alpha/(base|pin)$' || true)"
    done
}

steps=14
outcomes=
# On a busy machine it takes longer than it took: on until it got through once.
for ((n = 0; n <= steps || (n <= 4 * steps && $(grep -c live <<<"$outcomes") == 0); ++n)); do
    kill_after $((took * n / steps)) git-scad session start -q atlas alpha
    expect_exit 0 git scad session list --porcelain
    now=$(cut -f3 "$out")
    outcomes+=" ${now:-none}"
    case $now in
        "")
            check_hosts no
            ;;
        live | lost | starting)
            # A supervisor that was just being started comes up, and is used, or does not, and is started again.
            expect_exit 0 git scad session resume alpha
            check_hosts yes
            ;;
        *) fail "killed after $((took * n / steps)) ms, the session is '$now'" ;;
    esac
    # The name is free, or the session is whole.
    [[ -n $now ]] || expect_exit 0 git scad session start -q atlas alpha
    expect_exit 0 git scad session exec -w /work/code alpha -- git status --porcelain
    [[ ! -s $out ]] || fail "a fresh session has changes: $(<"$out")"
    expect_same "$(git -C "$code" rev-parse main)" "$(git scad session exec -w /work/code alpha -- git rev-parse HEAD)"
    git -C "$code" fetch -q scad/alpha
    expect_same "scad/alpha" "$(git -C "$code" remote)"
    expect_same "" "$(find "$state/sessions" -mindepth 1 -maxdepth 1 ! -name alpha)"
    git scad session rm -q --purge alpha
    git scad code prune -q alpha
    expect_same "" "$(git -C "$code" for-each-ref refs/scad-session refs/remotes)"
done
echo "killed at steps of $((took / steps)) ms:$outcomes" >&2
expect_match ' none' "$outcomes"
expect_match ' (live|lost)' "$outcomes"
expect_same "$code_before" "$(host_state "$code")"
git -C "$code" fsck --no-dangling >&2
no_process_left || fail "something still runs"
expect_same "" "$(find "$state" -name '.tmp-*')"
