#!/usr/bin/env bash
# What would be caught: a session that makes or opens a device, or turns a knob of the kernel's.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

# Only these are there, and a terminal's.
expect_same "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero" "$(in_session alpha ls /dev | xargs)"
for device in /dev/mem /dev/kmem /dev/port /dev/kmsg /dev/kvm /dev/fuse /dev/loop-control /dev/loop0 /dev/sda /dev/vda /dev/nvme0n1 /dev/vsock \
    /dev/vhost-vsock /dev/net/tun /dev/uinput /dev/input/event0 /dev/dri/card0 /dev/snd/timer /dev/rfkill /dev/userfaultfd /dev/autofs \
    /dev/pts/0 /dev/console /dev/mqueue; do
    in_vain alpha open-device "$device"
done
for file in /dev/fuse /dev/net/tun /dev/vsock /dev/kmsg /dev/autofs /dev/hpet; do
    if "$probe" read "$file" >/dev/null 2>&1 || "$probe" open-device "$file" >/dev/null 2>&1; then
        echo "the host's '$file' can be opened by its user" >&2
    fi
done
mapfile -t seen < <(find /dev -xdev \( -type c -o -type b \) -printf '%f\n' | sort -u)
[[ ${#seen[@]} -gt 12 ]] || fail "the host has hardly more devices than the session"

# One of its own. The kernel refuses all but 0:0 (of which overlays make their marks) to whoever is no root of the
# machine; a mount without nodev is what would let a user of the host's open one that is there.
for place in /tmp /home/agent /work/code /dev/shm; do
    in_vain alpha make-device c 1 3 "$place/null"
    in_vain alpha make-device b 8 0 "$place/disk"
    in_vain alpha make-device c 0 0 "$place/mark"
done
while read -r _ _ _ _ target options _ type _; do
    [[ $target == /dev/* || ,$options, == *,nodev,* ]] || fail "'$target' ($type) is mounted without nodev: $options"
done <<<"$(in_session alpha cat /proc/self/mountinfo)"
grep -qv nodev /proc/self/mountinfo || fail "the host has no mount without nodev"

# Knobs. In a user name space that has its own network and all capabilities some can be turned: the probe finds these.
in_vain alpha writable-below /proc/sys
works rooted writable-below /proc/sys
for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sys/user/max_user_namespaces \
    /proc/irq/default_smp_affinity /proc/1/oom_score_adj /proc/1/comm /proc/acpi/wakeup /proc/mtrr; do
    in_vain alpha write "$file"
done
for file in /proc/kcore /proc/kmsg /proc/kallsyms /proc/timer_list /proc/1/environ /proc/vmcore /proc/kpagecount; do in_vain alpha read "$file"; done
works plain read /proc/kallsyms
for directory in /sys /proc/acpi /proc/scsi /proc/fs/nfsd /proc/1/map_files /proc/1/task/1/fd; do in_vain alpha list "$directory"; done
works plain list /sys
for act in "write /proc/self/uid_map" "write /proc/self/setgroups" "write /proc/self/gid_map"; do
    # shellcheck disable=SC2086 # words
    in_vain alpha $act
done
