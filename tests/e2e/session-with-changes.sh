#!/usr/bin/env bash
# Would catch: a session started with the host's uncommitted work that lacks some of it, has more than that, or for which something in the host repo was written.
# shellcheck disable=SC2016 # scripts for an inner shell
. "$(dirname "$0")/../support/world.sh"
. "$support/crash.sh"

make_project
mkdir -p "$code/dir" "$code/sparse"
for file in changed deleted staged twice 'dir/in dir' mode tolink todir; do echo "$file" >"$code/$file"; done
ln -s changed "$code/link"
printf 'ignored*\n' >"$code/.gitignore"
git -C "$code" add -A
git -C "$code" commit -q -m "files"
git -C "$code" remote add origin "$trash/none"
git scad build -q atlas
in_code() { git scad session exec -w /work/code "$1" -- sh -euc "$2"; }

# Without anything uncommitted there is nothing to say and nothing to take.
expect_exit 0 git scad session start atlas none --with-changes
expect_no_match 'with-changes|uncommitted' "$err"
expect_same "$(git -C "$code" rev-parse main)" "$(in_code none 'git rev-parse HEAD')"

echo more >>"$code/changed"
rm "$code/deleted"
echo more >>"$code/staged" && git -C "$code" add staged
echo more >>"$code/twice" && git -C "$code" add twice && echo again >>"$code/twice"
echo more >>"$code/dir/in dir"
chmod +x "$code/mode"
rm "$code/tolink" && ln -s /etc/passwd "$code/tolink"
rm "$code/todir" && mkdir "$code/todir" && echo below >"$code/todir/below"
ln -sfn dir "$code/link"
printf 'new\n' >"$code/new file"
printf 'odd\n' >"$code/$(printf 'odd\n"name')"
echo promised >"$code/promised" && git -C "$code" add -N promised
echo no >"$code/ignored.txt"
mkfifo "$code/fifo"
head -c 70000000 /dev/zero >"$code/big"
make_repo "$code/nested"
printf '#!/bin/sh\ntouch %q\n' "$trash/ran" | tee "$code/.git/hooks/post-index-change" "$code/.git/hooks/pre-commit" >/dev/null
chmod +x "$code/.git/hooks/"*
git -C "$code" config core.fsmonitor "touch $trash/ran"
rm -f "$trash/ran"
: >"$code/.git/index.lock" # somebody is at it, and git replaces the file as a whole
code_before=$(host_state "$code")
objects_before=$(find "$code/.git/objects" -type f | sort)

# It is said what is missing.
expect_exit 0 git scad session start atlas without
expect_match "repo 'code': 10 changed and 4 untracked files \(.*\) of the host are not in the session; --with-changes takes them along" "$err"
expect_same "" "$(in_code without 'git status --porcelain')"

expect_exit 0 git scad session start atlas alpha --with-changes
expect_match "/work/code: starts with 10 changed and 4 untracked files" "$err"
expect_match "'nested'" "$err"
expect_same "" "$(in_code alpha 'git status --porcelain')"
expect_same "" "$(in_code alpha 'git diff-files')"
expect_same "$(git -C "$code" rev-parse main)" "$(in_code alpha 'git rev-parse HEAD~1')"
expect_same "$(git -C "$code" rev-parse main)" "$(in_code alpha 'git rev-parse origin/main')"
expect_same "A U Thor" "$(in_code alpha 'git log -1 --format=%an')"
# What a plain `git add -A` would commit, but for the repo inside.
cp -a "$code" expected
rm -f expected/.git/index.lock expected/.git/hooks/*
rm -rf expected/nested expected/fifo
git -C expected config --unset core.fsmonitor
git -C expected add -A
expect_same "$(git -C expected write-tree)" "$(in_code alpha 'git rev-parse "HEAD^{tree}"')"
expect_same "$(cd expected && find . -path ./.git -prune -o ! -type d ! -name 'ignored*' -printf '%P %y %s %l\n' | sort)" \
    "$(in_code alpha "find . -path ./.git -prune -o ! -type d -printf '%P %y %s %l\n' | sort")"
# The host is as it was, its objects too.
expect_same "$code_before" "$(host_state "$code")"
expect_same "" "$(comm -13 <(echo "$objects_before") <(find "$code/.git/objects" -type f | sort) |
    grep -v -F -e "$(git -C "$code" rev-parse refs/scad-session/alpha/pin | cut -c3-)" || true)"
[[ ! -e $trash/ran ]] || fail "a program of the host repo ran"
git -C "$code" cat-file -e "$(in_code alpha 'git rev-parse HEAD')" 2>/dev/null && fail "the host has the commit before anybody fetched it"

# It comes back as the first commit, with what is built on it.
in_code alpha 'echo inside >inside && git add -A && git commit -qm "on top"'
git -C "$code" fetch -q scad/alpha
expect_same $'on top\nUncommitted work of the host\'s working tree' "$(git -C "$code" log --format=%s main..scad/alpha)"
git scad session stop -q alpha
git scad session resume -q alpha
expect_same "" "$(in_code alpha 'git status --porcelain')"
git -C "$code" fsck --no-dangling --no-reflogs >&2

# Not on another base than where the working tree is, and not from the middle of a merge.
expect_exit 128 git scad session start atlas never --with-changes --base code=main~1
expect_match "^fatal: the uncommitted work of repo 'code' is on top of [0-9a-f]{12}, and the session starts at [0-9a-f]{12}" "$err"
expect_match "^hint: --base code=HEAD" "$err"
echo x >"$docs/README.md" && git -C "$docs" stash -q && echo y >"$docs/README.md" && git -C "$docs" commit -qam y
git -C "$docs" stash pop -q 2>/dev/null && fail "no conflict"
expect_exit 128 git scad session start atlas never --with-changes
expect_match "^fatal: the uncommitted work of repo 'docs' cannot be taken along: a merge has left conflicts in README.md" "$err"
expect_exit 0 git scad session start atlas still
git -C "$docs" checkout -q -f HEAD
chmod 000 "$code/new file"
expect_exit 128 git scad session start atlas never --with-changes
expect_match "new file" "$err"
expect_same "" "$(find "$state/sessions" -maxdepth 1 -name '*never*' -o -maxdepth 1 -name '.tmp*')"
chmod 644 "$code/new file"

# A sparse checkout: what is not there is not deleted.
rm -f "$code/.git/index.lock"
git -C "$code" config --unset core.fsmonitor
rm "$code/.git/hooks/"*
git -C "$code" reset -q --hard
git -C "$code" clean -q -ffdx
git -C "$code" sparse-checkout set src 2>/dev/null
echo sparse >>"$code/src/main.txt"
git scad session start -q atlas sparse --with-changes >/dev/null
expect_same $'M\tsrc/main.txt' "$(in_code sparse 'git diff --name-status HEAD~1')"

# Killed anywhere, it leaves nothing half made and nothing in the host.
code_before=$(host_state "$code")
for pause in 20 60 100 140 200 300; do
    kill_after $pause git-scad session start -q atlas killed --with-changes
    if [[ -n $(git scad session list --porcelain | grep killed) ]]; then
        git scad session resume -q killed
        expect_same $'M\tsrc/main.txt' "$(in_code killed 'git diff --name-status HEAD~1')"
        git scad session rm -q --purge killed
        git scad code prune -q killed
    fi
    expect_same "$code_before" "$(host_state "$code")"
done
git scad session start -q atlas killed --with-changes >/dev/null
expect_same "" "$(find "$state" -name '.tmp-*')"
