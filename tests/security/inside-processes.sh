#!/usr/bin/env bash
# What would be caught: a session that sees, reads, traces or ends processes of the host's or of another session's.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside
begin_session beta

# One of the host's, and one of the other session's.
HALF_A=scad-host HALF_B=word
env "MARK=$HALF_A$HALF_B" "$probe" victim "$trash/victim" "$HALF_A$HALF_B" &
victim=$!
at_end stop_process "$victim"
wait_for 10 test -s "$trash/victim"
read -r number address <"$trash/victim"
expect_same "$victim" "$number"
git scad session exec -e "MARK=beta-$HALF_B" beta -- /tmp/probe victim /tmp/victim "beta-$HALF_B" &
beta_exec=$!
at_end stop_process "$beta_exec"
wait_for 10 test -s "$state/sessions/beta/tmp/victim"
read -r beta_number beta_address <"$state/sessions/beta/tmp/victim"

tried alpha plain see "$HALF_A" "$HALF_B"
tried alpha plain see beta- "$HALF_B"
works beta see beta- "$HALF_B" # the probe finds what is there
in_vain beta see "$HALF_A" "$HALF_B"
tried alpha plain others
# What a session sees are its own: process 1 and each job's first process are scad's.
expect_same "/run/scad/init" "$(in_session alpha sh -c 'tr "\0" "\n" </proc/1/cmdline | head -n 1')"
[[ $(in_session alpha sh -c 'ls -d /proc/[0-9]* | wc -l') -le 6 ]] || fail "alpha sees processes that are not its own"

# By number: the host's number means nobody inside.
for act in "vm-read $number $address" "mem $number $address" "open-mem $number" "trace $number" "take-descriptor $number" \
    "kill $number 0" "kill-pidfd $number 0" "proc $number environ" "proc $number root" "proc $number cwd" "proc $number fd" \
    "proc $number exe" "proc $number maps"; do
    # shellcheck disable=SC2086 # words
    in_vain alpha $act
    # shellcheck disable=SC2086 # words
    works plain $act
    # In a plain bubblewrap with name spaces but with the host's processes left in, all works as well.
    # shellcheck disable=SC2086 # words
    [[ $act == trace* || $act == take* || $act == *mem* || $act == vm-read* || $act == proc* ]] || works loose $act
done
# The other session's process has a number there that may be somebody's here: whoever it is, it is not that one.
in_vain alpha vm-read "$beta_number" "$beta_address"
in_vain alpha mem "$beta_number" "$beta_address"
works beta vm-read "$beta_number" "$beta_address"

# All that it can reach, with every signal: only its own end.
supervisor() { python3 - "$state/sessions/$1/socket" <<'END'; }
import socket, struct, sys, os
directory, name = os.path.split(sys.argv[1])
os.chdir(directory)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(name)
print(struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
END
alpha_supervisor=$(supervisor alpha)
expect_match supervisor "/proc/$alpha_supervisor/comm"
in_session alpha sh -c 'kill -9 -1; kill -STOP -1; kill -CONT -1; kill -9 0' || true
in_session alpha sh -c 'for n in $(seq 2 400); do kill -9 "$n" 2>/dev/null; done' || true
in_vain alpha kill "$alpha_supervisor" 0
in_vain alpha proc "$alpha_supervisor" environ
works plain kill "$alpha_supervisor" 0
works plain proc "$alpha_supervisor" environ
for pid in "$victim" "$alpha_supervisor" "$beta_exec"; do kill -0 "$pid"; done
expect_match '^State:	S' "/proc/$victim/status"
expect_same "$alpha_supervisor" "$(supervisor alpha)"
expect_same ok "$(in_session alpha echo ok)"
works beta vm-read "$beta_number" "$beta_address"
