#!/usr/bin/env bash
# Would catch: a repo by url that is fetched before it was approved, that loses what sessions left in it when it is fetched again, that starts elsewhere than its branch is, or that keeps sessions from starting offline.
. "$(dirname "$0")/../support/world.sh"
. "$support/crash.sh"

make_repo server README.md src/main.txt
git -C server tag -a -m one v1
git -C server switch -q -c topic
echo topic >server/topic.txt
git -C server add -A
git -C server commit -q -m topic
git -C server switch -q main
docs=$trash/docs
make_repo "$docs" README.md
mkdir -p "$docs/.scad"
url=file://$trash/server
cat >"$docs/.scad/atlas.toml" <<EOF
[repos.code]
url = "$url"
[repos.docs]
path = "."
EOF
git -C "$docs" add -A
git -C "$docs" commit -q -m "the project"
git config --global scad.docs "$docs"

expect_exit 0 git scad config check atlas
expect_same "" "$(<"$err")"
expect_exit 1 git scad build atlas
expect_match "repo code from $url" "$err"
[[ ! -e $state/repos ]] || fail "it was fetched before anybody approved it"
git scad config trust --yes atlas >&2

# Killed while it is fetched, it is not there, or whole.
for pause in 5 20 40 80 160; do kill_after $pause git-scad build atlas; done
expect_exit 0 git scad build atlas
expect_exit 0 git scad session start atlas alpha
expect_match "/work/code: branch alpha from main \([0-9a-f]+\) of $url" "$err"
repo=$(echo "$state"/repos/*.git)
in_code() { git scad session exec -w /work/code "$1" -- sh -euc "$2"; }
expect_same "$(git -C server rev-parse main)" "$(in_code alpha 'git rev-parse HEAD')"
expect_same "$(git -C server rev-parse main)" "$(in_code alpha 'git rev-parse origin/main')"
expect_same "$url" "$(in_code alpha 'git config remote.origin.url')"
expect_same v1 "$(in_code alpha 'git describe')"
expect_same "" "$(in_code alpha 'git status --porcelain')"
expect_same true "$(git --git-dir="$repo" rev-parse --is-bare-repository)"
expect_same "+refs/heads/*:refs/remotes/origin/*" "$(git --git-dir="$repo" config remote.origin.fetch)"
expect_same 0 "$(git --git-dir="$repo" config gc.auto)"

# The way back is the same as from any repo.
in_code alpha 'echo work >work && git add -A && git commit -qm "work of alpha"; echo more >more'
expect_exit 0 git scad code fetch alpha
expect_exit 0 git scad code log alpha
expect_match 'work of alpha' "$out"
expect_exit 0 git scad code diff alpha
expect_match '^\+work' "$out"
git clone -q server clone
git -C clone fetch -q scad::alpha/code alpha
expect_same "work of alpha" "$(git -C clone log -1 --format=%s FETCH_HEAD)"
git --git-dir="$repo" push -q origin scad/alpha:refs/heads/from-alpha
expect_same "work of alpha" "$(git -C server log -1 --format=%s from-alpha)"

# It follows the remote, and what sessions have in it stays.
before=$(git --git-dir="$repo" for-each-ref refs/scad-session refs/remotes/scad)
git -C server commit -q --allow-empty -m "later"
git -C server branch -q -D topic
expect_exit 0 git scad session start atlas beta
expect_same later "$(in_code beta 'git log -1 --format=%s')"
expect_same "$before" "$(git --git-dir="$repo" for-each-ref refs/scad-session refs/remotes/scad | grep -v beta)"
expect_same "" "$(git --git-dir="$repo" for-each-ref refs/remotes/origin/topic)"

# Any revision.
git -C server branch topic v1
git scad session start -q atlas gamma --base code=topic >/dev/null
expect_same "$(git -C server rev-parse 'v1^{commit}')" "$(in_code gamma 'git rev-parse HEAD')"
expect_same "$(git -C server rev-parse 'v1^{commit}')" "$(in_code gamma 'git rev-parse origin/topic')"
git scad session start -q atlas delta --base code=v1 >/dev/null
expect_same v1 "$(in_code delta 'git describe')"
expect_exit 128 git scad session start atlas never --base code=nope
expect_match "^fatal: repo 'code' at '$url' has no revision 'nope'" "$err"

# Offline it goes on with what it has, and says so.
mv server away
expect_exit 0 git scad session start atlas epsilon
expect_match "^warning: repo 'code' could not be fetched from $url, and is what was fetched .*: .*does not (exist|appear)" "$err"
expect_same later "$(in_code epsilon 'git log -1 --format=%s')"
git scad session stop -q epsilon
git scad session resume -q epsilon
rm -rf "$state/trees.old"
expect_exit 0 git scad session rm alpha
expect_exit 0 git scad session undelete alpha
mv away server

# One that was never there is an error, and nothing is left of it.
sed -i "s|^url = .*|url = \"file://$trash/nowhere\"|" "$docs/.scad/atlas.toml"
git scad config trust --yes atlas >&2
expect_exit 128 git scad session start atlas zeta
expect_match "^fatal: cannot fetch repo 'code' from file://$trash/nowhere" "$err"
expect_same 1 "$(find "$state/repos" -mindepth 1 -maxdepth 1 -type d | wc -l)"
sed -i 's|^url = .*|url = "ext::sh"|' "$docs/.scad/atlas.toml"
expect_exit 128 git scad config check atlas
expect_match "only https, ssh, git and file are allowed" "$err"
sed -i "s|^url = .*|url = \"$url\"\ninclude = [\"x\"]|" "$docs/.scad/atlas.toml"
expect_exit 128 git scad config check atlas
expect_match "has no files of this machine" "$err"

# `init` takes a url where it takes a directory.
make_repo other
expect_exit 0 git -C other scad init second "$url"
expect_match "^url = \"$url\"" other/.scad/second.toml
