#!/usr/bin/env bash
# Would catch: a working copy whose first `git status` reads files that did not change, that shows what another session did, or that is not what it was after stop, rm and undelete; a fallback that is not taken where overlays cannot be mounted.
# shellcheck disable=SC2016 # scripts for an inner shell
. "$(dirname "$0")/../support/world.sh"
. "$support/crash.sh"

make_project
printf 'one\ntwo\n' >"$code/plain"
printf '*.crlf text eol=crlf\n' >"$code/.gitattributes"
printf 'a\r\nb\r\n' >"$code/lines.crlf"
printf '#!/bin/sh\n' >"$code/program"
chmod +x "$code/program"
ln -s plain "$code/link"
ln -s /etc/passwd "$code/link-out"
mkdir -p "$code/deep/er"
echo x >"$code/deep/er/file"
git -C "$code" add -A
git -C "$code" commit -q -m "files of all kinds"
code_before=$(host_state "$code")
wanted=${SCAD_TEST_WORKSPACE:-overlay}

git scad build -q atlas
if [[ $wanted == copy ]]; then
    expect_same "" "$(ls "$state/trees" 2>/dev/null || true)"
fi
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"
git scad session start -q atlas alpha >/dev/null
git scad session start -q atlas beta >/dev/null
expect_match "^engine: +bubblewrap, workspace $wanted" "$(git scad session show alpha)"
in_alpha() { git scad session exec -w /work/code alpha -- "$@"; }
in_beta() { git scad session exec -w /work/code beta -- "$@"; }

# What a clone has; modes and ends of lines too.
git clone -q "$code" clone
expect_same "$(cd clone && find . -path ./.git -prune -o ! -type d -printf '%P %y %m %s %l\n' | sort)" \
    "$(in_alpha find . -path ./.git -prune -o ! -type d -printf '%P %y %m %s %l\n' | sort)"
# Each entry of the index has the stat data of its file and is older than the index, so git has no need to look into it.
expect_same "" "$(in_alpha git diff-files)"
expect_same "" "$(in_alpha bash -c 'git ls-files | while read -r f; do [[ -L $f || .git/index -nt $f ]] || echo "$f"; done')"
expect_same "" "$(in_alpha git status --porcelain --ignored)"

# One does not see the other, nor does the host.
in_alpha sh -c 'echo three >>plain && rm -r deep && echo new >new && git add -A && git commit -qm "in alpha" && echo more >more'
expect_same "" "$(in_beta git status --porcelain)"
expect_same "one two" "$(in_beta cat plain | tr '\n' ' ' | sed 's/ $//')"
git scad session start -q atlas gamma >/dev/null
expect_same "" "$(git scad session exec -w /work/code gamma -- git status --porcelain)"
expect_same "$code_before" "$(host_state "$code")"
[[ $wanted != copy ]] || in_beta git mv deep moved

# What is put in the place of the git directory while it is not mounted, or tried to be, leads nowhere.
in_alpha sh -c 'mv .git away 2>/dev/null; rm -rf .git/HEAD; git rev-parse HEAD 2>/dev/null || git init -q .' >/dev/null
in_alpha sh -c 'git symbolic-ref HEAD refs/heads/alpha'
for round in stop lost rm; do
    case $round in
        stop) git scad session stop -q alpha ;;
        lost)
            kill_supervisor alpha
            wait_for 5 bash -c '[[ $(git scad session list --porcelain alpha | cut -f3) == lost ]]'
            ;;
        rm)
            git scad session rm -q alpha
            git scad session undelete -q alpha
            ;;
    esac
    git -C "$code" fetch -q scad/alpha
    expect_same "in alpha" "$(git -C "$code" log -1 --format=%s scad/alpha)"
    git scad session resume -q alpha
    expect_same "?? more" "$(in_alpha git status --porcelain)"
    expect_same "more new three" "$(in_alpha sh -c 'cat more new; tail -n 1 plain' | tr '\n' ' ' | sed 's/ $//')"
done
expect_same "more" "$(git -C "$code" show refs/scad-session/alpha/wip:more)"

# It is asked for by a word that exists.
expect_exit 128 git -c scad.workspace=magic scad session start atlas
expect_match "^fatal: 'magic' is no value of 'scad.workspace'" "$err"

# By itself it is a copy where no overlay can be mounted: on one that is an upper layer itself.
git config --global --unset scad.workspace || true
mkdir lower upper work merged
cat >nested.sh <<'EOF'
set -eu
mount -t overlay overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work merged
exec setpriv --inh-caps=-all --ambient-caps=-all bash inner.sh
EOF
cat >inner.sh <<'EOF'
set -eu
export XDG_STATE_HOME=$PWD/merged
git scad config trust --yes atlas >/dev/null 2>&1
git scad build -q atlas
git scad session start -q atlas nested
git scad session show nested | grep '^engine'
git scad session exec -w /work/code nested -- git status --porcelain
git scad doctor | grep overlays | grep -o 'plain copy' || true
git scad session rm -q --purge nested
EOF
if unshare --user --map-current-user --keep-caps --mount bash nested.sh >nested.out 2>nested.err; then
    expect_same $'nested\nengine:      bubblewrap, workspace copy\nplain copy' "$(<nested.out)"
else
    grep -q 'unshare\|mount' nested.err || fail "in a state directory on an overlay: $(<nested.err)"
fi
