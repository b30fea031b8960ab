#!/usr/bin/env bash
# What would be caught: a session that reaches the host's loopback, or addresses that are not public, directly or through
# the proxy.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
start_server
own=$(hostname)
begin_inside '[network]' "allow = [\"*\", \"*:$port\", \"*:80\", \"trap.test:$port\", \"*.trap.test:$port\", \"$own:$port\"]" 2>/dev/null ||
    fail "no project"
other_project listed '[network]' "allow = [\"127.0.0.1:$port\", \"[::1]:$port\", \"169.254.169.254:80\", \"10.0.0.1:80\", \"trap.test:$port\"]"
other_project closed '[network]' 'mode = "none"'
other_project wide '[network]' 'mode = "host"'

# The host's own idea of a name is what the proxy goes by: one that leads back, as a hostile DNS server would have it.
printf '%s\n' '127.0.0.1 localhost trap.test a.trap.test' '10.0.0.1 private.trap.test' '169.254.169.254 meta.trap.test' \
    '::1 six.trap.test' '0.0.0.0 zero.trap.test' "127.0.1.1 $own" >"$trash/hosts"
with_names() { bwrap --dev-bind / / --ro-bind "$trash/hosts" /etc/hosts "$@"; }
git scad session stop -q alpha
with_names git scad session resume -q alpha
with_names git scad session start -q listed listed >/dev/null
bring_probe listed
begin_session none closed
begin_session wide wide

# Directly: the session's loopback is its own, and there is nothing else.
for session in alpha none; do
    tried "$session" plain connect 127.0.0.1 "$port"
    in_vain "$session" connect 127.0.0.2 "$port"
    in_vain "$session" connect ::1 "$port"
    in_vain "$session" connect ::ffff:127.0.0.1 "$port"
    for address in 169.254.169.254 10.0.0.1 192.0.2.1 8.8.8.8 $(hostname -I 2>/dev/null); do
        in_vain "$session" connect "$address" 80
        in_vain "$session" connect "$address" "$port"
    done
    expect_same lo "$(in_session "$session" sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | xargs')"
done
works loose connect 127.0.0.1 "$port"
works wide connect 127.0.0.1 "$port" # what 'host' means
in_vain none proxy "127.0.0.1:$port" # nobody is there
expect_match 'closed: ECONNREFUSED' "$said"

# Through the proxy, by all that some resolver takes for loopback: refused by it, though every name is allowed.
for host in 127.0.0.1 127.0.0.2 localhost LOCALHOST localhost. a.localhost 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 \
    0 0.0.0.0 127.000.000.001 '[::1]' '[::]' '[::ffff:127.0.0.1]' '[::ffff:7f00:1]' '[0:0:0:0:0:0:0:1]' '[::127.0.0.1]' '[64:ff9b::7f00:1]' \
    '[2002:7f00:1::]' trap.test TRAP.test. a.trap.test six.trap.test zero.trap.test "$own"; do
    in_vain alpha proxy "$host:$port"
    expect_match '^proxy: HTTP/1.1 (403|400) ' "$said"
done
for host in 169.254.169.254 '[fe80::1]' '[fd00::1]' '[fec0::1]' 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 224.0.0.1 255.255.255.255 168.63.129.16 \
    private.trap.test meta.trap.test '[::ffff:169.254.169.254]' '[::ffff:10.0.0.1]' $(hostname -I 2>/dev/null); do
    [[ $host != *:*:* || $host == \[* ]] || host="[$host]"
    in_vain alpha proxy "$host:80"
    expect_match '^proxy: HTTP/1.1 (403|400) ' "$said"
done
# Ports and names that are not listed, and requests that are none.
for target in "example.com:22" "example.com:0" "example.com:65536" "example.com" ":443" "trap.test:$port:443" "127.0.0.1:$port@example.com:443" \
    "example.com:443@127.0.0.1:$port" "trap.test%00.example.com:$port" "[::1%lo]:$port" "[::1]x:$port" "a b:$port"; do
    in_vain alpha proxy "$target"
    expect_match '^proxy: HTTP/1.1 4' "$said"
done
for request in "GET http://127.0.0.1:$port/ HTTP/1.1" "POST http://trap.test:$port/ HTTP/1.1" "CONNECT 127.0.0.1:$port HTTP/1.1
Host: example.com" "GET / HTTP/1.1" "OPTIONS * HTTP/1.1" "PRI * HTTP/2.0"; do
    in_vain alpha proxy-raw "$request"
    expect_match '^proxy: HTTP/1.1 4' "$said"
done
# The one who asked is told, and what was asked is in the log without its control characters.
expect_match 'refused' "$state/sessions/alpha/supervisor.log"

# With the defence off, an address that its user has listed, all the ways that lead there are open.
for host in 127.0.0.1 '[::ffff:127.0.0.1]' trap.test TRAP.test.; do works listed proxy "$host:$port"; done
if "$probe" connect ::1 "$port" >/dev/null; then works listed proxy "[::1]:$port"; fi
in_vain listed proxy "localhost:$port"
# Nobody need be there: what tells is that it is tried.
for host in 169.254.169.254 10.0.0.1; do
    try_any() { "$@" || :; }
    said=$(try_any timeout 3 git scad session exec listed -- /tmp/probe proxy "$host:80" 2>&1)
    expect_no_match ' 40[0-9] ' "$said"
done
