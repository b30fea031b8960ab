#!/usr/bin/env bash
# What would be caught: a job that reaches parts of the kernel which it does not need: name spaces, mounts, programs in the
# kernel, odd sockets, and doors that a filter forgets.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside

# refused_by_filter <answer> <where it works> <act>…: the words tell that it was the filter.
refused_by_filter() {
    tried alpha "${@:2}"
    in_vain alpha "${@:3}"
    expect_match "^closed: $1\$" "$said"
}

for space in user mnt pid net ipc uts cgroup; do
    refused_by_filter EPERM rooted unshare "$space"
    refused_by_filter EPERM rooted clone "$space"
    refused_by_filter ENOSYS rooted clone3 "$space"
done
refused_by_filter EPERM plain unshare user
refused_by_filter EPERM plain clone user
refused_by_filter ENOSYS plain clone3 user
in_vain alpha unshare time
for space in mnt net ipc uts cgroup; do refused_by_filter EPERM rooted setns "$space"; done
for space in user net; do
    narrow_tried alpha rooted narrow-unshare "$space"
    narrow_tried alpha rooted narrow-clone "$space"
done

# All name spaces are its own, made before it came.
for space in user mnt pid net ipc uts cgroup; do
    outer=$(readlink "/proc/self/ns/$space")
    expect_match "^$space:" "$outer"
    [[ $(in_session alpha readlink "/proc/self/ns/$space") != "$outer" ]] || fail "the session is in the host's $space name space"
    # A plain bubblewrap makes these two, and leaves the rest as they are.
    [[ $space == user || $space == mnt ]] || expect_same "$outer" "$(loose readlink "/proc/self/ns/$space")"
done

refused_by_filter EPERM plain io_uring
refused_by_filter EPERM plain userfaultfd
[[ $(</proc/sys/kernel/perf_event_paranoid) -gt 2 ]] || refused_by_filter EPERM plain perf_event_open
narrow_tried alpha plain narrow-io_uring
for act in 'fsopen' 'fspick /' 'open_tree /' 'chroot /tmp' 'mount /tmp' 'umount /tmp' 'setns uts' 'bpf' 'perf_event_open' 'open_by_handle_at /tmp'; do
    # shellcheck disable=SC2086 # words
    in_vain alpha $act
    expect_match '^closed: EPERM$' "$said"
done
[[ $(</proc/sys/kernel/unprivileged_bpf_disabled) != 0 ]] || works plain bpf
# Only the machine's own root may do these, so that the ordinary user can show nothing by trying; which rules the filter
# has for them is written down among the golden files.
for name in kexec_load kexec_file_load init_module finit_module delete_module syslog acct swapoff quotactl; do
    in_vain alpha machine "$name"
    expect_match '^closed: EPERM$' "$said"
done

# Sockets: of the families only those of programs at work. 40 is VSOCK, which knows no network name space.
for family in $(seq 0 46) 255 0x100000001 0x100000028; do
    case $family in
        1 | 2 | 10) works alpha socket "$family" ;;
        *)
            in_vain alpha socket "$family"
            expect_match '^closed: (EAFNOSUPPORT|EINVAL|EPROTONOSUPPORT|ESOCKTNOSUPPORT)$' "$said"
            ;;
    esac
done
opened=0
for family in 16 17 38 40; do # NETLINK (of devices), PACKET, ALG, VSOCK: which the host's kernel has
    if "$probe" socket "$family" >/dev/null; then opened=$((opened + 1)); fi
done
[[ $opened -ge 2 ]] || fail "without a filter hardly any family can be had either"
in_vain alpha socketpair 40
narrow_tried alpha plain narrow-socket 16
narrow_tried alpha plain narrow-socketcall 16

# The terminal's input, also by numbers that a careless filter does not know for the same.
for act in 'type-ahead wide' 'type-ahead wide 0x100000000' 'type-ahead wide 0xffffffff00000000'; do
    # shellcheck disable=SC2086 # words
    in_vain alpha $act
    expect_match '^closed: EPERM$' "$said"
    # shellcheck disable=SC2086 # words
    [[ $(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1) != 1 ]] || works plain $act
done
[[ $(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1) != 1 ]] || narrow_tried alpha plain type-ahead narrow
# Most kernels have no x32 door; the filter shuts it where there is one.
in_vain alpha x32

# What programs at work need goes on.
expect_same "1" "$(in_session alpha python3 -c 'import subprocess, threading, os
t = threading.Thread(target=lambda: None); t.start(); t.join()
print(subprocess.run(["sh", "-c", "echo 1"], capture_output=True, text=True).stdout.strip())')"

# The same filter holds in the throw-away sandboxes: the environment's, the base trees', those of a stopped session.
throwaway() { "$SCAD_TEST_BIN/sandbox_probe" --bind "$trash/probe" /opt/probe -- "$@"; }
if [[ -x $SCAD_TEST_BIN/sandbox_probe ]]; then
    mkdir "$trash/probe"
    cp "$probe" "$trash/probe/probe"
    probe=/opt/probe/probe
    for act in 'unshare user' 'clone3 user' 'io_uring' 'socket 40' 'take-descriptor 1' 'chroot /tmp' 'type-ahead wide'; do
        # shellcheck disable=SC2086 # words
        in_vain throwaway $act
    done
fi
