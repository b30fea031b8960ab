#!/usr/bin/env bash
# What would be caught: a session that changes programs, settings or mounts that its later jobs, or the host, obey.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

# The host's files belong to somebody else, so that the ordinary user cannot change them anyway: that they are read-only
# shows in the mount. The rest belongs to the session's own root, where only the mount protects it.
for place in / /usr /etc /dev /bin /lib /var /opt /home /run /work /run/scad /opt/scad /opt/scad/agents /run/scad/objects \
    /run/scad/objects/code/0 /run/scad/init /proc/kallsyms; do
    [[ $place != /proc/kallsyms || -e /proc/kallsyms ]] || continue
    in_vain alpha writable-mount "$place"
done
works loose writable-mount /usr
works loose writable-mount /dev
for place in / /etc /usr /usr/bin /dev /home /run /var /opt /work /opt/scad /opt/scad/agents /run/scad /run/scad/objects \
    /run/scad/objects/code/0; do
    in_vain alpha write "$place/scad-test"
    in_vain alpha mkdir "$place/scad-test"
    in_vain alpha symlink "$place/scad-test"
done
# Files that every program, shell, or git of a later job would obey.
for file in /etc/ld.so.preload /etc/gitconfig /etc/passwd /etc/hosts /etc/profile /etc/bash.bashrc /etc/nsswitch.conf /usr/bin/git \
    /work/README.md /run/scad/init; do
    in_vain alpha write "$file"
    in_vain alpha truncate "$file"
    in_vain alpha remove "$file"
    in_vain alpha rename "$file" "$file.old"
    in_vain alpha chmod "$file"
done
# The same root without the mount being made read-only: all of that can be written.
own=$trash/own
mkdir -p "$own/usr"
cp "$probe" "$own/usr/probe"
open_root() { bwrap --unshare-all --bind "$own/usr" /usr --dir /etc --file 9 /etc/passwd --dev /dev --proc /proc "$@" 9</dev/null; }
probe=/usr/probe
for file in /etc/ld.so.preload /etc/gitconfig /usr/scad-test /scad-test; do works open_root write "$file"; done
works open_root rename /etc/passwd /etc/passwd.old
works open_root writable-mount /usr
works open_root writable-mount /
probe=$SCAD_TEST_BIN/inside_probe

# The mounts cannot be changed, nor covered.
for mount in / /usr /etc /proc /dev /work/code /work/code/.git /home/agent /tmp /run/scad/objects/code/0; do
    in_vain alpha remount "$mount"
    in_vain alpha umount "$mount"
done
for act in 'mount /tmp' 'bind / /tmp' 'fsopen' 'fspick /' 'open_tree /' 'chroot /tmp'; do
    # shellcheck disable=SC2086 # words
    tried alpha rooted $act
done
for mount in /proc /dev; do
    works rooted remount "$mount"
    works rooted umount "$mount"
done
in_vain alpha pivot_root /tmp
# The call is newer than most kernels.
in_vain alpha open_tree_attr /

# A mounted .git stays where it is.
in_vain alpha rename /work/code/.git /work/code/git
in_vain alpha rename /work/code /work/code2
mkdir -p "$trash/plain/.git"
works plain rename "$trash/plain/.git" "$trash/plain/git"

# No right is won by running a file that has one, because nothing on the mounts counts and nothing can be won at all.
status=$(in_session alpha cat /proc/self/status)
for line in 'NoNewPrivs:	1' 'Seccomp:	2' 'CapInh:	0000000000000000' 'CapPrm:	0000000000000000' 'CapEff:	0000000000000000' \
    'CapBnd:	0000000000000000' 'CapAmb:	0000000000000000'; do
    expect_match "^$line\$" "$status"
done
expect_match '^NoNewPrivs:	0$' /proc/self/status
expect_match '^CapBnd:	0*[1-9a-f]' /proc/self/status
expect_match '^CapEff:	0*[1-9a-f]' "$(rooted cat /proc/self/status)"
while read -r _ _ _ _ target options _; do
    [[ ,$options, == *,nosuid,* ]] || fail "'$target' is mounted without nosuid: $options"
done <<<"$(in_session alpha cat /proc/self/mountinfo)"
grep -qv nosuid /proc/self/mountinfo || fail "the host has no mount without nosuid"
