#!/usr/bin/env bash
# What would be caught: a session that answers the host's fetch itself, in place of git, and so makes it wait, run, or print
# what it wants.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

# Stops every git service that it finds and speaks in its place.
cat >"$trash/impostor.py" <<'END'
import os, signal, sys, time

def packet(data):
    return b"%04x" % (len(data) + 4) + data

esc = b"\033]0;title\007\033[31mred"
zero = b"0" * 40
refs = [line.split() for line in open("/tmp/refs", "rb")]
head = refs[0][0]
capabilities = packet(b"version 2\n") + packet(b"agent=git/2" + esc + b"\n") + packet(b"ls-refs=unborn\n") + \
    packet(b"fetch=shallow wait-for-done filter\n") + packet(b"object-format=sha1\n") + b"0000"
listing = b"".join(packet(b" ".join(ref) + b"\n") for ref in refs) + packet(b"1" * 40 + b" refs/heads/new\n") + b"0000"

answers = {
    "error": packet(b"ERR " + esc + b"\n"),
    "version": packet(b"version " + esc + b"\n") + b"0000",
    "format": packet(b"version 2\n") + packet(b"fetch\n") + packet(b"ls-refs\n") + packet(b"object-format=" + esc + b"\n") + b"0000",
    "garbage": esc * 10,
    "length": b"zzzz" + esc,
    "escape": capabilities + listing[:-4] + packet(head + b" refs/heads/" + esc + b"\n") + packet(esc + b" refs/heads/x\n") + b"0000",
    "band": capabilities + listing + packet(b"packfile\n") + packet(b"\2" + esc + b"\n") + packet(b"\3" + esc + b"\n") + b"0000",
    "pack": capabilities + listing + packet(b"packfile\n") + packet(b"\1PACK" + esc * 100) + b"0000",
    "push": packet(head + b" refs/heads/main\0report-status side-band-64k agent=" + esc + b"\n") + b"0000" +
        packet(b"\2" + esc + b"\n") + packet(b"\1" + packet(b"unpack " + esc + b"\n") + packet(b"ng refs/heads/pushed " + esc + b"\n") + b"0000") + b"0000",
    "push-error": packet(head + b" refs/heads/main\0report-status side-band-64k\n") + b"0000" + packet(b"\3" + esc + b"\n"),
    "push-split": packet(head + b" refs/heads/main\0report-status side-band-64k\n") + b"0000" + packet(b"\2a\xc2") + packet(b"\2\x9b31m\n") + b"0000",
    "many-refs": capabilities + listing[:-4] + b"".join(packet(head + b" refs/heads/many/%d\n" % n) for n in range(300000)) + b"0000",
    "silent": b"",
    "half": capabilities[:30],
    "endless-refs": None, "endless-words": None, "endless-keepalive": None,
}
endless = {
    "endless-refs": (capabilities, packet(head + b" refs/heads/x\n") * 1000),
    "endless-words": (capabilities + listing + packet(b"packfile\n"), packet(b"\2" + esc * 100 + b"\n") * 100),
    "endless-keepalive": (capabilities + listing + packet(b"packfile\n"), packet(b"\2") * 1000),
}

def services():
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            argv = open("/proc/%s/cmdline" % pid, "rb").read().split(b"\0")
            if argv[0].startswith(b"git") and (b"upload-pack" in argv or b"receive-pack" in argv):
                yield int(pid)
        except OSError:
            pass

how = sys.argv[1]
print("ready", flush=True)
seen = set()
while True:
    for pid in services():
        if pid in seen:
            continue
        seen.add(pid)
        try:
            os.kill(pid, signal.SIGSTOP)
            out = os.open("/proc/%d/fd/1" % pid, os.O_WRONLY)
        except OSError:
            continue
        if os.fork() == 0:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            first, again = endless.get(how) or (answers[how], b"")
            file = os.fdopen(out, "wb", 0)
            file.write(first)
            while again:
                file.write(again)
            if how not in ("silent", "half"):
                file.close()
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            os._exit(0)
        os.close(out)
END
command -v python3 >/dev/null || skip "no python3"

start impostor
case_name=impostor
said=$trash/said
: >"$said"
honest=$(commit impostor code honest honest)
git -C "$code" fetch -q scad/impostor
git scad session exec impostor -- sh -c 'cat >/tmp/impostor.py' <"$trash/impostor.py"
# git itself waits for ever now, so that there is time to take its place.
inside impostor code '
    git for-each-ref --format="%(objectname) %(refname)" refs/heads >/tmp/refs
    cp .git/config /tmp/config
    mkfifo /tmp/fifo
    printf "[include]\n\tpath = /tmp/fifo\n" >>.git/config'

impostor() { # <how> <command>…: run while it is at work
    local how=$1 answered=0
    shift
    : >"$trash/ready"
    git scad session exec impostor -- timeout 200 python3 -u /tmp/impostor.py "$how" >"$trash/ready" 2>&1 &
    local agent=$!
    wait_for 10 grep -q ready "$trash/ready"
    case_name="impostor $how"
    timeout -k 5 "${command_limit:-30}" "$@" >>"$said" 2>&1 || answered=$?
    [[ $answered -ne 124 && $answered -lt 130 ]] || fail "$case_name: status $answered: $*"
    kill "$agent"
    wait "$agent" || true
    wait_for 10 bash -c '! git scad session exec impostor -- grep -lsa impostor.py /proc/[0-9]*/cmdline | grep -qv self'
    printf '%s' "$answered" >"$trash/answered"
}

for how in error version format garbage length escape band pack many-refs endless-refs endless-words; do
    impostor "$how" git -C "$code" fetch scad/impostor
    expect_tip "$code" scad/impostor/honest "$honest"
    no_damage impostor
done
for how in push push-error push-split garbage error; do
    impostor "$how" git -C "$code" push scad/impostor main:pushed
    [[ $(<"$trash/answered") != 0 ]] || [[ $how == push-split ]] || fail "a push that was refused succeeded"
    no_damage impostor
done
impostor band script -qec "git -C '$code' fetch scad/impostor" /dev/null
impostor push script -qec "git -C '$code' push scad/impostor main:pushed" /dev/null
no_damage impostor
# Who says nothing, or nothing that leads on, is not waited for without end.
command_limit=100
impostor half git -C "$code" fetch scad/impostor
[[ $(<"$trash/answered") == 128 ]] || fail "a silent session was fetched from"
# And once it is itself again, all is well.
git scad session exec impostor -- cp /tmp/config /work/code/.git/config
id=$(commit impostor code honest again)
git -C "$code" fetch -q scad/impostor
expect_tip "$code" scad/impostor/honest "$id"
