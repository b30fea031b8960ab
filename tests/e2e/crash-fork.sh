#!/usr/bin/env bash
# Would catch: a killed `session fork` that leaves its source frozen, a half-made copy, a name that nobody can use, or refs without a session; a conversation that the copy cannot continue.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"
. "$support/crash.sh"
. "$support/fake_agent.sh"

fake_agent
make_project
start alpha
agent_says alpha <<'END'
cat >/tmp/prompt
printf '%s\n' "$*" >~/arguments
id=$(cat ~/id 2>/dev/null) || { id=11111111-2222-3333-4444-555555555555; echo $id >~/id; }
printf '{"type":"system","subtype":"init","session_id":"%s"}\n' "$id"
printf '{"type":"assistant","message":{"content":[{"type":"text","text":"I remember."}]},"session_id":"%s"}\n' "$id"
printf '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"%s"}\n' "$id"
END
git scad inject -q alpha -m "remember this"
inside alpha code 'echo work >work; mkdir many; for n in $(seq 300); do echo $n >many/$n; done; mkdir many/closed; chmod 000 many/closed'

# Its programs move on: each of these lines is written by another process.
git scad inject -q -d alpha -- sh -c 'while :; do /bin/date +%s%N >>/tmp/ticks; sleep 0.01; done'
wait_for 10 inside alpha code 'test -s /tmp/ticks'
ticks() { inside alpha code 'wc -l </tmp/ticks'; }

fork() { git-scad session fork -q alpha beta; }
took=$(milliseconds fork)
git scad session rm -q --purge beta
git scad code prune -q beta
steps=10
outcomes=
for ((n = 0; n <= steps || (n <= 4 * steps && $(grep -c live <<<"$outcomes" || true) == 0); ++n)); do
    kill_after $((took * n / steps)) git-scad session fork -q alpha beta
    before=$(ticks)
    wait_for 5 bash -c "[ \$(git scad session exec alpha -- sh -c 'wc -l </tmp/ticks') -gt $before ]"
    now=$(git scad session list --porcelain | awk '$1 == "beta" { print $3 }')
    outcomes+=" ${now:-none}"
    case $now in
        "") expect_exit 0 git scad session fork -q alpha beta ;;
        live | lost | starting) expect_exit 0 git scad session resume -q beta ;;
        *) fail "killed after $((took * n / steps)) ms, the copy is '$now'" ;;
    esac
    expect_same "work 303" "$(inside beta code 'echo $(cat work) $(ls -a many | wc -l)')"
    expect_same beta "$(inside beta code 'git symbolic-ref --short HEAD')"
    git -C "$code" fetch -q scad/beta
    expect_same "" "$(find "$state/sessions" -mindepth 1 -maxdepth 1 ! -name alpha ! -name beta)"
    git scad session rm -q --purge beta
    git scad code prune -q beta
    expect_same "" "$(git -C "$code" for-each-ref refs/scad-session/beta refs/remotes/scad/beta)"
done
echo "killed at steps of $((took / steps)) ms:$outcomes" >&2
expect_match ' none' "$outcomes"
expect_match ' (live|lost)' "$outcomes"

# The copy goes on with the conversation, and so does its source.
git scad session fork -q alpha beta
git scad inject -q beta --continue -m "and now?"
expect_match '11111111-2222-3333-4444-555555555555' "$(inside beta code 'cat ~/arguments')"
expect_no_match '11111111-2222-3333-4444-555555555555' "$(inside alpha code 'cat ~/arguments')"
git scad inject -q alpha --continue -m "and you?"
expect_match '11111111-2222-3333-4444-555555555555' "$(inside alpha code 'cat ~/arguments')"
expect_exit 0 git scad job show beta:3

# A command that waits for the copy is done afterwards; one that ends the session ends the copying.
inside alpha code 'for n in $(seq 60); do head -c 1000000 /dev/zero >many/$n; done'
git-scad session fork -q alpha gamma >"$trash/forked" 2>&1 &
forking=$!
expect_exit 0 git scad session exec alpha -- true
expect_exit 0 git scad session stop -q alpha
wait $forking || expect_match "being stopped|was removed|not live|has ended" "$trash/forked"
expect_same stopped "$(git scad session list --porcelain alpha | cut -f3)"
expect_same "" "$(find "$state" -name '.tmp-*')"
git -C "$code" fsck --no-dangling >&2
