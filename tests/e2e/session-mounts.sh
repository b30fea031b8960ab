#!/usr/bin/env bash
# Would catch: a mount that is missing, writable though it is ro, or not the host's though it is rw; a host place that must never be writable accepted as one.
. "$(dirname "$0")/../support/world.sh"

mkdir -p data/sub results 'odd name,with:signs'
echo sample >data/sub/sample.txt
echo "one file" >single.conf
echo odd >'odd name,with:signs/file'
mkfifo data/fifo
make_project '[mounts."/data"]' "source = \"$trash/data\"" \
    '[mounts."/results"]' "source = \"$trash/results\"" 'mode = "rw"' \
    '[mounts."/conf/single.conf"]' "source = \"$trash/single.conf\"" \
    '[mounts."/mnt/odd"]' "source = \"$trash/odd name,with:signs\"" \
    '[mounts."/var/lib/dpkg"]'
git scad build -q atlas
data_before=$(tar --sort=name -c data | sha256sum)
expect_exit 0 git scad session start atlas alpha
expect_match "/data: read-only, shows $trash/data" "$err"
expect_match "/results: writable, is $trash/results" "$err"
inside() { git scad session exec alpha -- sh -c "$1"; }

expect_same sample "$(inside 'cat /data/sub/sample.txt')"
inside 'grep -q "^Package: git$" /var/lib/dpkg/status' # shown where it is
expect_same "one file" "$(inside 'cat /conf/single.conf')"
expect_same odd "$(inside 'cat /mnt/odd/file')"
for write in '>/data/new' '>/data/sub/sample.txt' '>>/conf/single.conf' '>/mnt/odd/new'; do
    inside "echo x $write" 2>/dev/null && fail "a read-only mount was written: $write"
done
for act in 'rm /data/sub/sample.txt' 'mkdir /data/d' 'chmod 777 /data/sub' 'mv /data/sub /data/other'; do
    inside "$act" 2>/dev/null && fail "a read-only mount was changed: $act"
done
# A writer of the host's waits at that FIFO; from inside, it leads nowhere.
expect_same "" "$(inside 'timeout 1 cat /data/fifo' || true)"
expect_same "$data_before" "$(tar --sort=name -c data | sha256sum)"

inside 'echo result >/results/r.txt && mkdir /results/d'
expect_same result "$(<results/r.txt)"
echo "from the host" >results/h.txt
expect_same "from the host" "$(inside 'cat /results/h.txt')"
expect_exit 0 git scad session show alpha
expect_match "/results writable, is $trash/results" "$out"
expect_match '/results' "$(inside 'cat /work/README.md')"
# Both after a resume as well.
git scad session stop -q alpha
expect_same sample "$(inside 'cat /data/sub/sample.txt')"
inside 'echo again >/results/r.txt'
expect_same again "$(<results/r.txt)"

# A source that is gone by now, and places that no session may write.
ssh=$trash/with-ssh
mkdir -p "$ssh/.ssh"
refuse() { # <source> <what is said>
    printf '%s\n' '[repos.code]' 'path = "../code"' '[mounts."/bad"]' "source = \"$1\"" 'mode = "rw"' >"$docs/.scad/bad.toml"
    expect_exit 128 git scad config check bad
    expect_match "$2" "$err"
    expect_match '^fatal: ' "$err"
    git scad config trust --yes bad >/dev/null 2>&1 && git scad session start bad one >/dev/null 2>&1 && fail "started with $1 writable"
    return 0
}
refuse "$trash/none" 'none'
refuse "$HOME" 'home|directory'
refuse "$trash" '.'
refuse "$state" '.'
refuse "$ssh" 'ssh'
refuse "$code" 'git repo'
refuse / '.'
mv data data.away
git scad session stop -q alpha
expect_exit 128 git scad session resume alpha
expect_match "$trash/data" "$err"
mv data.away data
expect_exit 0 git scad session resume alpha
