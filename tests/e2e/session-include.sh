#!/usr/bin/env bash
# Would catch: an included file that a session lacks, that is written through, that brings something from outside of the repo, or that hides a tracked file.
. "$(dirname "$0")/../support/world.sh"

make_project
printf '.env*\nout/\nlocal\n' >"$code/.gitignore"
mkdir -p "$code/out/deep" "$code/src/local"
echo tracked >"$code/out/tracked"
git -C "$code" add -f -A
git -C "$code" commit -q -m "more"
git -C "$code" remote add origin "$trash/none"
echo SECRET=1 >"$code/.env.test"
chmod 600 "$code/.env.test"
echo built >"$code/out/deep/built"
chmod +x "$code/out/deep/built"
ln -s deep/built "$code/out/link"
echo setting >"$code/src/local/setting"
echo visible >"$code/visible"
echo outside >"$trash/outside"

include() { # <array of TOML>: the project with it, approved
    sed -i '/^include/d' "$docs/.scad/atlas.toml"
    sed -i "s|^path = \"../code\"|&\ninclude = $1|" "$docs/.scad/atlas.toml"
    git -C "$docs" commit -q -am "include" || true
    git scad config trust --yes atlas >&2
}
in_code() { git scad session exec -w /work/code alpha -- "$@"; }

include '[".env.test", "out", "src/local/setting", "visible"]'
git scad build -q atlas
code_before=$(host_state "$code")
expect_exit 0 git scad session start atlas alpha
expect_match "'visible' is included but not ignored" "$err"
expect_same "SECRET=1 600" "$(in_code sh -c 'echo $(cat .env.test) $(stat -c %a .env.test)')"
expect_same "built 755 deep/built" "$(in_code sh -c 'echo $(cat out/link) $(stat -c %a out/deep/built) $(readlink out/link)')"
expect_same "setting" "$(in_code cat src/local/setting)"
expect_same "tracked" "$(in_code cat out/tracked)"
expect_same "?? visible" "$(in_code git status --porcelain)"
expect_same "" "$(in_code git diff-files)"
# A copy: neither sees what the other does.
in_code sh -c 'echo changed >.env.test; rm -r out/deep'
expect_same "$code_before" "$(host_state "$code")"
git scad session stop -q alpha
git scad session resume -q alpha
expect_same changed "$(in_code cat .env.test)"
[[ ! -e $state/sessions/alpha/repos/code/include ]] || fail "the copy of the copy is still there"

# With uncommitted work along, what is in both is there once.
git scad session start -q atlas beta --with-changes >/dev/null
expect_same "" "$(git scad session exec -w /work/code beta -- git status --porcelain)"
expect_same "visible" "$(git scad session exec -w /work/code beta -- cat visible)"

number=0
refused() { # <expected words> <array of TOML>
    local name=refused-$((++number))
    include "$2"
    expect_exit 128 timeout 20 git scad session start atlas "$name"
    expect_match "$1" "$err"
    [[ ! -e $state/sessions/$name ]] || fail "it started all the same"
}
ln -s "$trash/outside" "$code/.env.out"
refused "cannot include '.env.out' of repo 'code': it is a link out of the repo" '[".env.out"]'
ln -sfn ../../outside "$code/out/away"
refused "cannot include 'out/away' of repo 'code': it is a link out of the repo" '["out"]'
rm "$code/out/away"
ln -s "$trash" "$code/.env.dir"
refused "cannot include '.env.dir/outside' of repo 'code': '.env.dir' is a link" '[".env.dir/outside"]'
mkfifo "$code/.env.fifo"
refused "cannot include '.env.fifo' of repo 'code': it is neither" '[".env.fifo"]'
refused "cannot include 'src/main.txt' of repo 'code': it is a tracked file" '["src/main.txt"]'
make_repo "$code/out/repo"
refused "cannot include 'out/repo' of repo 'code': it holds a git repository" '["out"]'
rm -rf "$code/out/repo"
# In a directory what is no file is left out.
mkfifo "$code/out/fifo"
include '["out"]'
expect_exit 0 timeout 20 git scad session start atlas gamma
expect_match "'out/fifo' is left out" "$err"
# It is a request like others: a merged project file that asks for more does not get it unseen.
sed -i 's|^include = .*|include = [".env.test"]|' "$docs/.scad/atlas.toml"
expect_exit 1 git scad session start atlas delta
expect_match "file $code/.env.test of repo code" "$err"
