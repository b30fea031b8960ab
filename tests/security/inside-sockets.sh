#!/usr/bin/env bash
# What would be caught: a session that talks to a server of the host's over a socket with a path or an abstract name.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
lent=$trash/lent
mkdir -p "$lent/sub" "$HOME/run"
name=scad-test-$$-$RANDOM
start_server "$HOME/run/socket" "@$name" "$lent/socket" "$lent/sub/socket"
mkfifo "$lent/fifo"
echo data >"$lent/data.txt"
begin_inside '[mounts."/data/lent"]' "source = \"$lent\""
other_project closed '[network]' 'mode = "none"'
other_project wide '[network]' 'mode = "host"' 2>"$trash/asked"
expect_match 'abstract' "$trash/asked"
begin_session none closed
begin_session wide wide

for session in alpha none wide; do
    tried "$session" plain connect-unix "$HOME/run/socket"
    # shellcheck disable=SC2046 # words: those of this host's that are there
    for socket in /run/dbus/system_bus_socket /run/docker.sock /var/run/docker.sock /run/systemd/private /tmp/.X11-unix/X0 \
        $(find /run -maxdepth 3 -type s 2>/dev/null || :); do
        in_vain "$session" connect-any "$socket"
        in_vain "$session" datagram "$socket"
    done
done
works loose connect-unix "$HOME/run/socket"

# Abstract names belong to the network name space.
for session in alpha none; do
    tried "$session" plain connect-unix "@$name"
    in_vain "$session" datagram "@$name"
    expect_same 0 "$(in_session "$session" grep -ac "$name" /proc/net/unix || true)"
done
works loose connect-unix "@$name" # all name spaces but that of the network
works wide connect-unix "@$name"  # what 'host' means, as is said where it is approved

# A directory that is lent read-only: its files can be read, its sockets and FIFOs lead nowhere.
works alpha read /data/lent/data.txt
exec 8<>"$lent/fifo" # somebody of the host's reads it
for socket in socket sub/socket; do
    in_vain alpha connect-unix "/data/lent/$socket"
    in_vain alpha connect-any "/data/lent/$socket"
done
in_vain alpha fifo /data/lent/fifo
in_vain alpha write /data/lent/fifo
# A read-only bind, as one would do it without thinking, is open for both.
bound() { bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc "$@"; }
for socket in socket sub/socket; do works bound connect-unix "$lent/$socket"; done
works bound fifo "$lent/fifo"
IFS= read -r -t 5 line <&8
expect_same scad-was-here "$line"
! IFS= read -r -t 0.2 line <&8 || fail "more came through the FIFO: $line"
exec 8>&-
