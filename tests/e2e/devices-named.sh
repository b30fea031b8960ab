#!/usr/bin/env bash
# Would catch: a device that was named and is not there inside, or one that must never be: a directory, a disk, a terminal, memory; one that leads elsewhere than was approved.
# shellcheck disable=SC2154 # fake_host.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/fake_host.sh"

fake_node /dev/kvm /dev/zero
fake_node /dev/ttyUSB0 /dev/null
make_project
printf '%s\n' '[environment]' 'devices = ["/dev/kvm", "/dev/null", "/dev/ttyUSB0"]' >>"$docs/.scad/atlas.toml"
expect_exit 1 on_fake_host git scad session start atlas alpha
expect_match 'device /dev/kvm$' "$err"
on_fake_host git scad config trust --yes -q atlas
on_fake_host git scad build -q atlas
expect_exit 0 on_fake_host git scad session start atlas alpha
expect_match 'devices: /dev/kvm, /dev/null, /dev/ttyUSB0$' "$err"
inside() { git scad session exec alpha -- sh -c "$1"; }
expect_same "0000" "$(inside 'head -c 2 /dev/kvm | od -An -tx1 | tr -d " "')"
inside 'echo x >/dev/ttyUSB0 && test ! -e /dev/kmsg && test ! -e /sys'
expect_match '/dev/kvm' "$(inside 'cat /work/README.md')"
expect_exit 0 git scad session show alpha
expect_match '^  /dev/kvm$' "$out"

# Gone at the next start: said.
git scad session stop -q alpha
if [[ ! -e /dev/ttyUSB0 ]]; then
    expect_exit 128 git scad session resume alpha
    expect_match "fatal: .*'/dev/(kvm|ttyUSB0)'" "$err"
fi
expect_exit 0 on_fake_host git scad session resume alpha

refuse() { # <device> <what is said>
    printf '%s\n' '[repos.code]' 'path = "../code"' '[environment]' "devices = [\"$1\"]" >"$docs/.scad/bad.toml"
    expect_exit 128 on_fake_host git scad config check bad
    expect_match "'environment.devices' cannot be '$1': $2" "$err"
}
fake_node /dev/kmsg /dev/null
fake_node /dev/uinput /dev/null
ln -s "$trash/code" "$trash/link"
refuse /dev 'a device is a path below'
refuse /dev/shm 'it is a directory'
refuse /dev/pts 'it is a directory'
refuse /dev/tty 'it is a terminal'
refuse /dev/ptmx 'it is a terminal'
refuse /dev/kmsg 'it leads to the host itself'
refuse /dev/uinput 'it leads to the host itself'
refuse /dev/stdin/../kvm 'a device is a path below'
refuse /dev/fd "it leads to '/proc/"
refuse /dev/not-there 'no such device'
refuse /etc/passwd 'a device is a path below'
disk=$(find /dev -maxdepth 1 -type b -print -quit)
if [[ -n $disk ]]; then
    printf '%s\n' '[repos.code]' 'path = "../code"' '[environment]' "devices = [\"$disk\"]" >"$docs/.scad/bad.toml"
    expect_exit 128 git scad config check bad
    expect_match 'it is a disk' "$err"
fi
