#!/usr/bin/env bash
# What would be caught: a session that reads or changes files of the user's, of scad's or of another session's.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"

echo "a secret of the user's" >"$HOME/secret.txt"
mkdir -m 700 "$HOME/.ssh"
echo "a private key" >"$HOME/.ssh/id_test"
begin_inside
begin_session beta
in_session beta sh -c 'echo "a secret of beta" | tee /home/agent/secret.txt /tmp/secret.txt /work/code/secret.txt >/dev/null'
beta=$state/sessions/beta

# Each file by its own path, and by all that a process has of a root, a directory or a descriptor.
for file in "$HOME/secret.txt" "$HOME/.ssh/id_test" "$beta/home/secret.txt" "$beta/tmp/secret.txt" "$beta/repos/code/$layer/secret.txt" \
    "$beta/session.json" "$state/sessions/alpha/session.json" "$code/README.md" "$code/.git/config" "$docs/.scad/atlas.toml"; do
    [[ -e $file ]] || fail "no '$file'"
    tried alpha plain read "$file"
    works loose read "$file"
    for through in /proc/1/root /proc/self/root /proc/1/cwd/../../../../../../.. /work/../../../.. /work/code/.git/../../../../..; do
        in_vain alpha read "$through$file"
    done
    works plain read "/proc/self/root$file"
done
for directory in "$HOME" "$state" "$state/sessions" "$beta/home" "$state/locks" $(ls -d "$state/trees" 2>/dev/null) "$trash"; do
    tried alpha plain list "$directory"
done
# Nothing of the user's is where users are, and what is there is the session's own.
for place in /home /root /mnt /media /srv /run/user /var/lib /var/log /boot /sys /lost+found; do
    if [[ $place == /home ]]; then
        expect_same agent "$(in_session alpha ls /home)"
    else
        in_vain alpha list "$place"
    fi
done
expect_same "init objects" "$(in_session alpha ls /run/scad | xargs)"
expect_same "$(printf '%s\n' code docs)" "$(in_session alpha ls -d /work/code /work/docs | sed 's,.*/,,')"
# Accounts and settings of the host's stay there.
for file in /etc/shadow /etc/hostname /etc/machine-id /etc/ssh /etc/sudoers; do
    [[ $file == /etc/hostname ]] || in_vain alpha read "$file"
done
expect_same alpha "$(in_session alpha cat /etc/hostname)"
expect_no_match "$(id -un)" "$(in_session alpha cat /etc/passwd)"
expect_match "^$(id -un):" /etc/passwd

# A name that leads out of the session leads nowhere from inside.
in_session alpha sh -c 'ln -s "$1" /home/agent/out; ln -s "$1" /tmp/out; ln -s "$1" /work/code/out' sh "$HOME/secret.txt"
for link in /home/agent/out /tmp/out /work/code/out; do in_vain alpha read "$link"; done
works plain read "$state/sessions/alpha/home/out"
# Nor can a file be given a second name elsewhere.
in_session alpha sh -c 'echo x >/home/agent/own; echo x >/tmp/own'
in_vain alpha link /home/agent/own /tmp/linked
works plain link "$state/sessions/alpha/home/own" "$state/sessions/alpha/tmp/linked"
