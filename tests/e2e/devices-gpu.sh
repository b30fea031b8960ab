#!/usr/bin/env bash
# Would catch: a graphics processor that a session cannot use though the host's user can, or uses though nobody asked for it; a driver's library, a CDI specification's
# mount or link that is missing inside; a socket that a specification lets in; a hook that is run; a session that starts without the processor that it was to have.
# shellcheck disable=SC2154 # fake_host.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/fake_host.sh"

make_project '[environment]' 'gpu = true' '[network]' 'mode = "none"'
git scad build -q atlas

# Without one: said, with what to do, and nothing is left.
expect_exit 128 on_fake_host git scad session start atlas alpha
expect_match '^fatal: .*gpu = true.*no graphics processor' "$err"
expect_match '^hint: .*gpu = false' "$err"
expect_exit 0 git scad session list
expect_same "" "$(<"$out")"

# Nodes of every vendor, and a driver whose library lies where only the loader's cache knows.
fake_node /dev/nvidia0 /dev/zero
fake_node /dev/nvidiactl /dev/null
fake_node /dev/nvidia-uvm /dev/null
fake_node /dev/dri/renderD128 /dev/full
fake_node /dev/dri/card0 /dev/null
fake_node /dev/kfd /dev/random
driver=$fake/run/driver/lib
mkdir -p "$driver" "$fake/etc/OpenCL/vendors"
cc -shared -o "$driver/libcuda.so.999.1" -Wl,-soname,libcuda.so.1 -x c - <<<'int cuInit(unsigned f) { return 41 + (int)f; }'
ln -s libcuda.so.999.1 "$driver/libcuda.so.1"
printf '%s\n' /run/driver/lib /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu >ld.conf
on_fake_host /sbin/ldconfig -C "$fake/etc/ld.so.cache" -f ld.conf -X
echo libfake.so >"$fake/etc/OpenCL/vendors/fake.icd"
expect_exit 0 on_fake_host git scad session start atlas alpha
expect_match 'devices: /dev/dri/renderD128, /dev/kfd, /dev/nvidia-uvm, /dev/nvidia0, /dev/nvidiactl$' "$err"
name=alpha
inside() { git scad session exec "$name" -- sh -c "$1"; }
expect_same "0000" "$(inside 'head -c 2 /dev/nvidia0 | od -An -tx1 | tr -d " "')"
expect_match 'I/O error|No space left' "$(inside 'echo x >/dev/dri/renderD128' 2>&1 || true)"
inside 'test ! -e /dev/dri/card0 && test ! -e /dev/kmsg'
inside 'cat /sys/dev/char/1:5/uevent' | grep -q '^DEVNAME=zero$'
inside 'test -d /sys/class/mem/zero && test -d /sys/devices/system/cpu && test ! -e /sys/block && test ! -e /sys/kernel'
inside 'echo x >/sys/dev/char/1:5/uevent' 2>/dev/null && fail "/sys can be written"
expect_same libfake.so "$(inside 'cat /etc/OpenCL/vendors/fake.icd')"
expect_same 42 "$(inside 'python3 -c "import ctypes; print(ctypes.CDLL(\"libcuda.so.1\").cuInit(1))"')"
expect_match 'graphics processors' "$(inside 'cat /work/README.md')"
expect_exit 0 git scad session show alpha
expect_match '^  /dev/nvidia0$' "$out"
expect_exit 0 git scad session show --json alpha
expect_match '"/dev/nvidia0"' "$out"

# They are looked for anew at each start: gone ones keep it from starting, and say why.
git scad session stop -q alpha
expect_exit 128 git scad session resume alpha
expect_match '^fatal: .*gpu = true' "$err"
no_nodes
fake_node /dev/nvidia7 /dev/zero
expect_exit 0 on_fake_host git scad session resume alpha
inside 'test -c /dev/nvidia7 && test ! -e /dev/nvidia0'
git scad session rm -q --purge alpha
# No CUDA without the node for unified memory.
expect_exit 0 on_fake_host git scad session start -q atlas beta
expect_match 'warning: .*nvidia-uvm.*nvidia-modprobe' "$err"
git scad session rm -q --purge beta

name="delta"
# What a specification says: of YAML below /etc and of JSON below /var/run.
no_nodes
fake_node /dev/vendor0 /dev/zero
tools=$trash/vendor
mkdir -p "$fake/etc/cdi" "$fake/run/cdi" "$tools/data" "$fake/run/vendor"
echo tool >"$tools/tool"
chmod +x "$tools/tool"
echo data >"$tools/data/file"
cp "$driver/libcuda.so.999.1" "$tools/libvendor.so.5"
python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$tools/socket"
cat >"$fake/etc/cdi/vendor.yaml" <<END
cdiVersion: 0.5.0
kind: vendor.example/gpu
containerEdits:
  env: [VENDOR_MODE=fast]
  mounts:
  - {hostPath: $tools/tool, containerPath: /usr/bin/vendor-tool, options: [ro, nosuid, nodev, bind]}
  - {hostPath: $tools/data, containerPath: /var/lib/vendor, options: [ro]}
  - {hostPath: $tools/libvendor.so.5, containerPath: /usr/lib/x86_64-linux-gnu/libvendor.so.5}
  - {hostPath: $tools/socket, containerPath: /run/vendor/socket}
  - {hostPath: /usr/bin/env, containerPath: /usr/bin/env}
  - {hostPath: $tools/gone, containerPath: /var/lib/gone}
  hooks:
  - hookName: createContainer
    path: /usr/bin/vendor-hook
    args: [vendor-hook, create-symlinks, --link, "libvendor.so.5::/usr/lib/x86_64-linux-gnu/libvendor.so"]
  - {hookName: createContainer, path: /usr/bin/vendor-hook, args: [vendor-hook, update-ldcache, --folder, /usr/lib]}
  - {hookName: createContainer, path: $tools/hook, args: [hook, do-more]}
devices:
- name: "0"
  containerEdits:
    deviceNodes: [{path: /dev/vendor0}]
END
cat >"$fake/run/cdi/other.json" <<'END'
{"cdiVersion": "0.6.0", "kind": "other.example/gpu",
 "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/other0"}]}},
             {"name": "all", "containerEdits": {"deviceNodes": [{"path": "/dev/other/1", "hostPath": "/dev/vendor0"}]}}]}
END
printf '%s\n' '#!/bin/sh' "touch $trash/hook-ran" >"$tools/hook"
chmod +x "$tools/hook"
expect_exit 0 on_fake_host git scad session start atlas delta
expect_match 'devices: /dev/other/1, /dev/vendor0$' "$err"
expect_match "warning: .*'$tools/gone'.*nvidia-ctk cdi generate" "$err"
expect_match "warning: .*hook 'hook do-more' is not run" "$err"
[[ ! -e hook-ran ]] || fail "a hook was run"
inside 'test -c /dev/other/1 && test -c /dev/vendor0 && test ! -e /dev/other0 && test ! -e /run/vendor/socket'
expect_same "fast data" "$(inside 'echo $VENDOR_MODE $(cat /var/lib/vendor/file)')"
expect_match '/bin/vendor-tool$' "$(inside 'command -v vendor-tool')"
expect_same 43 "$(inside 'python3 -c "import ctypes; print(ctypes.CDLL(\"libvendor.so\").cuInit(2))"')"
# A job's environment has it as well.
expect_exit 0 git scad inject delta -- sh -c 'echo "mode $VENDOR_MODE"'
expect_match '^mode fast' "$out"
git scad session rm -q --purge delta

# A specification that cannot be read is said, and keeps nobody from another one's device.
echo '{ not: [a specification' >"$fake/etc/cdi/broken.yaml"
expect_exit 0 on_fake_host git scad session start -q atlas gamma
expect_match 'warning: /etc/cdi/broken.yaml:[0-9]+:[0-9]+: ' "$err"
