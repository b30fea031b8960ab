#!/usr/bin/env bash
# Would catch: a doctor that says yes where a session cannot start, or no where one can; a lack without what mends it; a state directory whose locks do not hold taken into use.
. "$(dirname "$0")/../support/world.sh"

mkdir -p "$HOME/.cargo/bin" "$HOME/bin" agents
for program in "$HOME"/.cargo/bin/{cargo,rustc} "$HOME/bin/mine" "$HOME/.cargo/bin/env"; do
    printf '#!/bin/sh\n' >"$program"
    chmod +x "$program"
done
claude() { # <script>: what the agent is
    printf '#!/bin/sh\n%s\n' "$1" >agents/claude
    chmod +x agents/claude
}
claude 'echo "9.8.7 (an agent)"'
PATH=$PATH:$HOME/.cargo/bin:$HOME/bin:$trash/agents

# Where the other tests run, all that is needed is there.
expect_exit 0 git scad doctor
for name in 'ordinary user' 'user namespaces' 'overlays' 'bubblewrap' 'git' 'seccomp' 'sandbox' 'state directory' 'free space' 'limit pids'; do
    expect_match "^ok  $name +[^ ]" "$out"
done
expect_match '^(ok|--)  limit memory +(cgroup|watch)' "$out"
expect_match "^ok  agent claude +9\.8\.7 \(an agent\) at $trash/agents/claude" "$out"
# Programs that a session has not, by the directory, with the line for the project file; one that it has elsewhere is none.
expect_match '^--  programs +not in sessions: cargo, rustc of ~/.cargo/bin$' "$out"
expect_match '^ +mend it: tools = \["~/.cargo"\] in \[environment\]' "$out"
expect_match 'not in sessions: mine of ~/bin$' "$out"
expect_match '^ +mend it: tools = \["~/bin"\] in \[environment\]' "$out"
expect_no_match "env|claude of" "$(grep programs "$out")"
expect_same "" "$(find "$state" -mindepth 1)" # nothing is left

expect_exit 0 git scad doctor --json
python3 - "$out" <<'END'
import json, sys
document = json.load(open(sys.argv[1]))
assert document["ok"] is True and document["version"] == 1
for check in document["checks"]:
    assert set(check) == {"name", "ok", "needed", "detail", "remedy"}, check
    assert check["ok"] or not check["needed"], check
assert any(check["name"] == "limit memory" and check["detail"] for check in document["checks"])
END

# An agent that does not even tell its version.
claude 'exit 3'
expect_exit 0 git scad doctor
expect_match '^--  agent claude +.*exited with status 3' "$out"
expect_match 'mend it: npm install' "$out"

# No user namespaces: told once, with the cause, and what stands on them is not blamed.
no_namespaces() { bwrap --dev-bind / / --unshare-user --disable-userns -- "$@"; }
expect_exit 1 no_namespaces git scad doctor
expect_match '^no  user namespaces +no more are allowed' "$out"
expect_match 'mend it: sudo sysctl -w user.max_user_namespaces' "$out"
expect_match '^no  sandbox +not tried: no user namespaces' "$out"
expect_match "^sessions cannot run here" "$err"
expect_exit 1 no_namespaces git scad doctor --json
expect_match '"ok": false' "$out"

# A file system over the network, and one whose locks hold nobody back, as the C library tells it.
cat >network.c <<'END'
#include <sys/vfs.h>
#include <string.h>
int statfs(const char* path, struct statfs* to) { memset(to, 0, sizeof *to); to->f_type = 0x6969; to->f_bsize = 4096; to->f_bavail = 1 << 24; return 0; }
int statfs64(const char* path, struct statfs* to) { return statfs(path, to); }
#ifdef NO_LOCKS
int flock(int fd, int operation) { return 0; }
#endif
END
cc -w -shared -fPIC -o network.so network.c
cc -w -shared -fPIC -DNO_LOCKS -o no-locks.so network.c
make_project '[network]' 'mode = "none"'
git scad build -q atlas
expect_exit 0 env LD_PRELOAD="$trash/network.so" git scad doctor
expect_match '^ok  state directory +.*\(nfs\); locks hold between processes of this machine' "$out"
expect_exit 0 env LD_PRELOAD="$trash/network.so" git scad session start -q atlas alpha
git scad session stop -q alpha
expect_exit 1 env LD_PRELOAD="$trash/no-locks.so" git scad doctor
expect_match '^no  state directory +.*two processes hold the same lock' "$out"
expect_match 'mend it: git config --global scad.stateDir' "$out"
for command in 'start atlas beta' 'resume alpha' 'rm alpha'; do
    # shellcheck disable=SC2086 # words
    expect_exit 128 env LD_PRELOAD="$trash/no-locks.so" git scad session $command
    expect_match "^fatal: the state directory '.*' lies on nfs, where locks do not hold" "$err"
    expect_match '^hint: git config --global scad.stateDir' "$err"
done

# Devices: those that sessions could have, and what keeps them from it.
. "$support/fake_host.sh"
fake_node /dev/kvm /dev/null
fake_node /dev/dri/renderD128 /dev/null
expect_exit 0 on_fake_host git scad doctor
expect_match '^ok  graphics +/dev/dri/renderD128$' "$out"
expect_match '^ok  /dev/kvm +can be given' "$out"
no_nodes
fake_node /dev/nvidia0 /dev/null
expect_exit 0 on_fake_host git scad doctor
expect_match "^--  graphics +there is no '/dev/nvidia-uvm', which CUDA needs: sudo nvidia-modprobe" "$out"
no_nodes
expect_exit 0 on_fake_host git scad doctor
expect_match '^--  graphics +no graphics processor' "$out"
expect_no_match '/dev/kvm' "$out"
# A device that is there for others: one of the host's that its user cannot open, under another name.
closed=$(find /dev -maxdepth 1 -type c ! -readable -print -quit)
if [[ -n $closed ]]; then
    fake_node /dev/dri/renderD129 "$closed"
    expect_exit 0 on_fake_host git scad doctor
    expect_match "^--  graphics +you cannot open '/dev/dri/renderD129'" "$out"
    expect_match 'mend it: sudo (usermod -aG|setfacl -m)' "$out"
fi
