#!/usr/bin/env bash
# Would catch: two sessions with the same port, a lease that is given twice, a job that is not told of it, bytes that are
# lost or changed on the way through a forwarded port, or one that leads elsewhere.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project '[network]' 'mode = "none"'
git scad build -q atlas
git scad session start -q --port web=43000 --port db_1=43000 atlas alpha >/dev/null
git scad session start -q --port web=43000 atlas beta >/dev/null
port() { git scad session exec "$1" -- sh -c 'echo "$SCAD_PORT_WEB"'; }
alpha=$(port alpha) beta=$(port beta)
[[ $alpha -ge 43000 && $beta -gt $alpha ]] || fail "leased: '$alpha' and '$beta'"
expect_same $((alpha + 1)) "$(git scad session exec alpha -- sh -c 'echo "$SCAD_PORT_DB_1"')"
expect_match "web: $alpha" "$(git scad session show alpha)"
git scad inject -q alpha -- sh -c 'test -n "$SCAD_PORT_WEB"'
# Also while the session only lies in the trash, or is stopped; a port that somebody listens on is passed over.
git scad session rm -q beta
git scad session start -q --port web=43000 atlas gamma >/dev/null
[[ $(port gamma) -gt $beta ]] || fail "the port of a removed session was given again"
git scad session undelete -q beta
git scad session resume -q beta
expect_same "$beta" "$(port beta)"
expect_exit 129 git scad session start --port web atlas
expect_exit 129 git scad session start --port web=0 atlas
expect_exit 129 git scad session start --port 1=80 atlas

# A server in each session, at a number of its own: what is asked of each comes from there.
cat >server.py <<'PY'
import os, socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(os.environ["SCAD_SESSION"].encode() + b"\n")
        while piece := self.request.recv(65536): self.request.sendall(piece)
class Server(socketserver.ThreadingTCPServer): allow_reuse_address = True
Server(("127.0.0.1", int(os.environ["SCAD_PORT_WEB"])), Echo).serve_forever()
PY
for session in alpha beta; do
    git scad session cp -q server.py "$session:/tmp/"
    git scad inject -q -d "$session" -- python3 /tmp/server.py >/dev/null
done
forward() { # <session> <ports>: $address and $forwarder
    rm -f where
    git-scad session forward "$@" >where 2>forward-err &
    forwarder=$!
    at_end stop_process "$forwarder"
    wait_for 10 test -s where
    address=$(<where)
}
cat >client.py <<'PY'
import socket, sys, threading
host, port = sys.argv[1].split(":")
c = socket.create_connection((host, int(port)), timeout=20)
data = open(sys.argv[2], "rb").read()
def send(): c.sendall(data); c.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
while piece := c.recv(65536): sys.stdout.buffer.write(piece)
PY
head -c 5000000 /dev/urandom >data
serves() { git scad session exec "$1" -- bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$SCAD_PORT_WEB"'; }
for session in alpha beta; do
    wait_for 10 serves "$session"
    forward "$session" web
    [[ $address == 127.83.*:${!session} ]] || fail "the address is '$address'"
    python3 client.py "$address" data >back
    expect_same "$session" "$(head -n 1 back | tr -d '\0' 2>/dev/null)"
    tail -c +$((${#session} + 2)) back | cmp - data
    eval "of_$session=\$address"
done
# Each at an address of its own, so that both can have the same number.
# shellcheck disable=SC2154 # set by name
[[ ${of_alpha%:*} != "${of_beta%:*}" ]] || fail "both are at ${of_alpha%:*}"
forward beta "$alpha:web"
python3 client.py "$address" server.py >back
expect_same "beta $alpha" "$(head -n 1 back) ${address#*:}"
# Side by side, and nobody there: a connection that ends.
for n in 1 2 3 4; do python3 client.py "$of_alpha" data >"back.$n" & pids[n]=$!; done
for n in 1 2 3 4; do wait "${pids[n]}" && tail -c +7 "back.$n" | cmp - data; done
forward alpha 43999:9
expect_same "" "$(python3 client.py "$address" server.py || true)"
# What it had running in the session goes with it.
kill -INT "$forwarder" && wait "$forwarder"
wait_for 5 bash -c '! git scad session exec alpha -- pgrep -f "init connect 9"'
expect_exit 128 git scad session forward alpha 1
expect_exit 129 git scad session forward alpha nothing
