#!/usr/bin/env bash
# What would be caught: a job that gets at process 1 of its sandbox, at what starts jobs, or at the supervisor: whoever
# holds the control channel can start what it likes past all that scad tells, and whoever stops process 1 stops the rest.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

# The same acts on a process 1 that does not hide: the probe's own victim, in name spaces like a session's.
exposed() { # <probe> <act> 1 …: the script is process 1
    bwrap --unshare-all --as-pid-1 --bind / / --dev /dev --proc /proc bash -c 'trap : TERM; "$@" & wait $!; exit $?' bash "$@"
}
for part in environ exe root cwd fd fdinfo maps smaps mem auxv stack syscall io map_files ns/mnt ns/net ns/user personality pagemap; do
    in_vain alpha proc 1 "$part"
done
for part in environ exe root cwd fd maps auxv ns/net; do works exposed proc 1 "$part"; done
for act in open-mem trace take-descriptor; do tried alpha exposed "$act" 1; done
in_vain alpha vm-read 1 0x400000

# What starts a job. The same script where a job is started by a process like any other.
script='
    top=$("$1" leader | head -n 1)
    for part in environ exe root cwd fd maps; do "$1" proc "$top" "$part" && exit 20; done
    for act in open-mem trace take-descriptor; do "$1" "$act" "$top" && exit 21; done
    exit 22'
expect_exit 22 git scad session exec alpha -- sh -c "$script" sh /tmp/probe
expect_exit 20 apart sh -c "$script" sh "$probe"
expect_exit 21 apart sh -c "${script//environ exe root cwd fd maps/no-such}" sh "$probe"

# Nothing but its three streams comes with a job.
in_vain alpha own-descriptors
with_more() { "$@" 7</dev/null; }
works with_more own-descriptors

# Signals, all of them in all ways; one by one also for those that cannot be caught.
in_session alpha /tmp/probe storm 1 >/dev/null
for signal in KILL STOP TSTP TERM INT HUP QUIT SEGV ABRT TTIN; do in_session alpha kill -"$signal" 1; done
expect_same still-there "$(in_session alpha echo still-there)"
git scad status --porcelain | cut -f2 | sort -u >"$trash/states"
expect_same live "$(cat "$trash/states")"
# A process 1 that heeds TERM from inside, as a shell with a handler does, would have ended.
expect_exit 7 bwrap --unshare-all --as-pid-1 --bind / / --dev /dev --proc /proc bash -c 'trap "exit 7" TERM; "$0" kill 1 15; sleep 5' "$probe"

# The leader can be killed or stopped by its job; that ends the job and nothing else.
for signal in KILL STOP; do
    expect_exit 137 git scad session exec alpha -- sh -c 'kill -"$1" "$(/tmp/probe leader | head -n 1)"; sleep 30' sh "$signal"
    expect_same still-there "$(in_session alpha echo still-there)"
    in_vain alpha others
done
# Process 1 cannot be run again by a job to become something.
for words in '34 processes=1' 'stage 0' '3' ''; do
    # shellcheck disable=SC2086 # words
    in_session alpha sh -c 'exec /run/scad/init "$@" </dev/null' sh $words >/dev/null 2>&1 && fail "scad-init did something for a job: $words"
done
expect_same still-there "$(in_session alpha echo still-there)"

# The supervisor's socket has no name inside; outside it answers its user.
socket=$state/sessions/alpha/socket
[[ -S $socket ]] || fail "no '$socket'"
cd "$state/sessions/alpha"
expect_exit 0 python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("socket")'
cd "$trash"
expect_exit 1 git scad session exec alpha -- python3 -c '
import socket, sys
try: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])
except (FileNotFoundError, OSError): sys.exit(1)' "../../../../../../$socket"
in_vain alpha list "$state"
expect_same "" "$(in_session alpha sh -c 'tail -n +2 /proc/net/unix | grep -a "@" || :')"
