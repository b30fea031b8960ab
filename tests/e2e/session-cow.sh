#!/usr/bin/env bash
# Would catch: a copy-on-write mount that is written through, that loses what the session changed, shows it in another
# session, or is not told of.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

mkdir -p data/sub
echo old >data/file
echo gone >data/sub/gone
mkfifo data/fifo
before=$(tar -C data --sort=name -c . | sha256sum)
make_project '[mounts."/data/set"]' "source = \"$trash/data\"" 'mode = "cow"'
start alpha beta

expect_same "" "$(git scad status alpha | grep -i 'nothing carries' || true)"
git scad session exec alpha -- sh -euc 'cd /data/set; echo new >file; echo more >added; rm sub/gone; chmod 700 sub; mkdir dir'
expect_same "new more" "$(git scad session exec alpha -- sh -c 'cat /data/set/file /data/set/added' | xargs)"
expect_same "$before" "$(tar -C data --sort=name -c . | sha256sum)"
expect_same "old gone" "$(git scad session exec beta -- sh -c 'cat /data/set/file /data/set/sub/gone' | xargs)"
# What writes into the host's FIFO from inside reaches nobody.
exec 8<>data/fifo
timeout 2 git scad session exec alpha -- sh -c 'echo evil >/data/set/fifo' || true
read -r -t 0.2 -u 8 heard && fail "the session wrote '$heard' into a FIFO of the host's"
exec 8>&-
# It is told, and a stop, a fork and a removal keep it.
expect_match '/data/set.*over' "$(git scad session show alpha)"
expect_match '/data/set.* 5 changes, .*nothing carries' "$(git scad status alpha)"
expect_match '"entries": *5' "$(git scad session show --json alpha)"
git scad session stop -q alpha
expect_match '5 changes' "$(git scad session show alpha)"
git scad session fork -q alpha copy >/dev/null
git scad session exec copy -- sh -euc 'test "$(cat /data/set/file)" = new; test ! -e /data/set/sub/gone; echo copy >/data/set/file'
git scad session resume -q alpha
expect_same new "$(git scad session exec alpha -- cat /data/set/file)"
expect_same "$before" "$(tar -C data --sort=name -c . | sha256sum)"

# What nobody inside could change is refused, with what to do instead.
sed -i "s|^source = .*|source = \"/srv\"|" "$docs/.scad/atlas.toml"
git scad config trust atlas --yes >&2
expect_exit 128 git scad session start atlas gamma
expect_match 'belongs to another user' "$err"
