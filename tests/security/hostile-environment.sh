#!/usr/bin/env bash
# What would be caught: a step of the baking that reads secrets, mounts or files of the host, or leaves links, modes or
# whiteouts that make a session's mounts, the pruning or a later step act somewhere else.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

mkdir "$HOME/private"
echo hidden >"$HOME/private/file"
echo kept >"$trash/target"
make_project '[mounts."/data"]' "source = \"$HOME/private\"" '[agent]' 'env = ["WANDB_API_KEY"]' '[environment]' 'network = "none"' \
    '[environment.python]' 'version = "3"' '[[environment.setup]]' \
    'run = """
env; cat /proc/self/mountinfo; ls -d /data /home/agent/* /run/scad/objects 2>&1
rmdir /opt/scad/agents; ln -s /etc /opt/scad/agents
rm -rf /opt/scad/venv; ln -s /home/agent /opt/scad/venv
mkdir -p code/deep/er; echo x >code/deep/er/file; ln -s /etc code/link; mkfifo code/fifo
chmod 000 code/deep/er /opt/scad code
"""' '[[environment.setup]]' 'run = "ls -lR code /opt/scad; mkdir docs/more; echo y >docs/more/file"'
export WANDB_API_KEY=word-that-is-secret
expect_exit 0 git scad build atlas
log=$(find "$state/environments/logs" -type f)
expect_no_match 'word-that-is-secret|ANTHROPIC' "$log"
expect_no_match "$HOME/private|$docs|$code" "$log"
expect_match "cannot access '/data'" "$log"

# A session is given its places, and no link in them.
expect_exit 0 git scad session start -q atlas alpha
expect_exit 0 in_session alpha sh -c 'stat -c %F /opt/scad/agents; ls /opt/scad/agents; stat -c %F /work/code/fifo /work/code/link; cat /work/docs/more/file'
expect_no_match 'passwd' "$out"
expect_match '^directory$' "$out"
expect_match '^y$' "$out"
in_session alpha sh -c 'ls -la /opt/scad /opt/scad/venv/ 2>&1; cat /proc/self/mountinfo' >"$out"
expect_no_match ' /opt/scad/venv ' "$out"
expect_exit 0 in_session alpha sh -c 'test ! -e /work/code/README.md/x && cat /work/code/README.md'

# All of it can be removed.
git scad session rm -q --purge alpha
expect_exit 0 git scad build --prune
expect_same "" "$(ls "$state/environments/layers")"
expect_same hidden "$(<"$HOME/private/file")"
