#!/usr/bin/env bash
# What would be caught: a file that a session makes in a place of the host's, and that other users of the host could run
# with its owner's rights.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
shared=$trash/shared
mkdir "$shared"
begin_inside '[mounts."/data/shared"]' "source = \"$shared\"" 'mode = "rw"'

# Every call that gives a file its mode, in all places that are the host's as well.
mapfile -t ways < <("$probe" mode-ways | head -n -1)
[[ ${#ways[@]} -gt 20 ]] || fail "the probe knows too few ways"
for way in "${ways[@]}"; do
    got=0
    "$probe" make-mode "$way" "$trash/file" 04755 >/dev/null || got=$?
    [[ $got != 3 ]] || continue # of 32-bit programs, which this kernel does not run
    answer=EPERM
    [[ $way != *openat2 ]] || answer=ENOSYS # callers fall back to openat then
    for mode in 04755 02755 06711 04000; do
        in_vain alpha make-mode "$way" /tmp/file "$mode"
        expect_match "^closed: $answer\$" "$said"
        # The kernel takes no bits for openat2 that it does not know, and drops these for the others.
        works plain make-mode "$way" "$trash/file" "$mode"
    done
    for place in /work/code /work/code/.git /home/agent /data/shared; do in_vain alpha make-mode "$way" "$place/file" 04755; done
done

# What such a mode is made of elsewhere: a copy, an archive, capabilities, a link to one that is there.
cp "$probe" "$shared/set-id"
chmod 4755 "$shared/set-id"
in_session alpha sh -c '
    cp -p "$1" /tmp/copy; install -m 4755 "$1" /tmp/installed; (cd "${1%/*}" && tar -cpf - set-id) | tar -C /tmp -xpf -
    cp -a "$1" "${1%/*}/copy"; ln "$1" "${1%/*}/link"; mv "$1" "${1%/*}/moved"; cp -p "${1%/*}/moved" /work/code/copy; chmod u+s /work/code/copy
    mkdir -m 2777 /tmp/dir; python3 -c "import os; os.umask(0); os.mkdir(\"/tmp/dir2\", 0o6777); os.makedirs(\"/tmp/dir3\"); os.chmod(\"/tmp/dir3\", 0o2777)"' \
    sh /data/shared/set-id >/dev/null 2>&1 || true
rm -f "$shared/set-id" "$shared/moved" "$shared/link"
in_session alpha touch /data/shared/own
set_ids() { find "$@" -name work -prune -o -perm /6000 -print; } # the kernel's own work folders cannot be read
expect_same "" "$(set_ids "$state/sessions" "$shared")"
cp -p "$probe" "$trash/copy"
chmod 4755 "$trash/copy"
expect_same "$trash/copy" "$(set_ids "$trash" -maxdepth 1 2>/dev/null)"
in_vain alpha set-capability /tmp/probe
in_vain alpha set-capability /data/shared/own
cp "$probe" "$trash/capable"
works rooted set-capability "$trash/capable"

# A program that changes its user on the host does not here.
in_vain alpha writable-mount /usr
set_id=$(find /usr/bin -perm -4000 -user root -readable | head -n 1)
if [[ -n $set_id ]]; then
    expect_match 'NoNewPrivs:	1' "$(in_session alpha cat /proc/self/status)"
    expect_exit 0 git scad session exec alpha -- test -u "$set_id" # the bit is there, and counts for nothing
    [[ $(in_session alpha sh -c '"$1" --help >/dev/null 2>&1; cat /proc/self/status' sh "$set_id") == *"Uid:	1000	1000	1000	1000"* ]] ||
        fail "another user after '$set_id'"
fi

# The session's directory keeps other users of the host out in any case.
expect_same 700 "$(stat -c %a "$state")"
