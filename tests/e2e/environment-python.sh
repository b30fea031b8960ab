#!/usr/bin/env bash
# Would catch: requirement files, their constraints, hashes or index lines passed over, an editable package that is not
# the session's own files, a `pip install` that shows in another session, a step done again without need.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

approve() { git scad config trust -q --yes atlas >/dev/null; }

start_index apple==1.0 apple==1.1:pear apple==2.0 pear==1.0 pear==3.0 plum==1.0 cherry==1.0 cherry==2.0
make_project '[environment]' 'network = "host"' '[environment.python]' \
    'requirements = ["code/requirements.txt", "docs/needs/docs.txt"]' 'editable = ["code"]'
make_package "$code" basket cherry
commit_file "$code" requirements.txt "--index-url $index
apple < 2   # not the newest"
commit_file "$docs" needs/docs.txt "-r more.txt
-c limits.txt"
commit_file "$docs" needs/more.txt plum
commit_file "$docs" needs/limits.txt 'pear < 2
cherry < 2'
git -C "$docs" scad config trust --yes >/dev/null 2>&1

expect_exit 0 git scad build atlas
expect_match '^\[1/3\] python: /usr/bin/python3  [0-9.]+ s$' "$err"
expect_match '^\[2/3\] requirements: code/requirements.txt, docs/needs/docs.txt  [0-9.]+ s$' "$err"
expect_match '^\[3/3\] editable: code  [0-9.]+ s$' "$err"
expect_exit 0 git scad build atlas
expect_match 'up to date' "$err"
for session in alpha beta; do expect_exit 0 git scad session start -q atlas $session; done
packages() { # <session>
    in_session "$1" python -m pip list --format freeze --disable-pip-version-check | grep -v -e '^pip=' -e '^setuptools='
}
baked=$'apple==1.1\nbasket==1.5\ncherry==1.0\npear==1.0\nplum==1.0'
expect_same "$baked" "$(packages alpha | sed 's/ .*//')"
expect_exit 0 in_session alpha sh -c 'command -v python; echo $VIRTUAL_ENV; python -c "import basket.part.values as v; print(v.__file__, v.value)"'
expect_same $'/opt/scad/venv/bin/python\n/opt/scad/venv\n/work/code/src/basket/part/values.py one' "$(<"$out")"

# What a session installs is its own, and is told.
expect_exit 0 in_session alpha python -c 'import shutil, os, site
top = site.getsitepackages()[0]
os.mkdir(top + "/grape-0.1.dist-info")
open(top + "/grape.py", "w").write("")
shutil.rmtree(top + "/plum-1.0.dist-info")
os.remove(top + "/plum.py")
os.rename(top + "/pear-1.0.dist-info/METADATA", top + "/pear-1.0.dist-info/x")'
expect_exit 0 in_session alpha python -c 'import grape'
expect_exit 1 in_session alpha python -c 'import plum'
expect_exit 0 in_session beta python -c 'import plum'
expect_exit 1 in_session beta python -c 'import grape'
expect_exit 0 git scad session snapshot alpha
expect_exit 0 git scad status
expect_match '^alpha: python packages changed: \+grape 0.1, -plum 1.0$' "$out"
expect_exit 0 git scad session show alpha
expect_match '^environment: .* \(changed: \+grape 0.1, -plum 1.0\)$' "$out"
git scad status --json >"$out"
expect_match '"added"' "$out"
git scad session stop -q alpha
git scad session resume -q alpha
expect_exit 0 in_session alpha python -c 'import grape'

# The editable package is the session's working copy; a commit that changes only code leaves the environment as it is.
commit_file "$code" src/basket/part/values.py 'value = "two"'
expect_exit 0 git scad build atlas
expect_no_match 'editable' "$err"
expect_exit 0 git scad session start -q atlas gamma
expect_exit 0 in_session gamma python -c 'import basket.part.values as v; print(v.value)'
expect_same two "$(<"$out")"
# Its metadata does not; what went before is kept.
sed -i 's/"cherry"/"cherry", "plum"/' "$code/pyproject.toml"
git -C "$code" commit -qam metadata
approve
expect_exit 0 git scad build atlas
expect_match '^\[2/3\] .* kept$' "$err"
expect_match '^\[3/3\] editable: code  [0-9.]+ s$' "$err"
# A constraint of a file of a file counts.
commit_file "$docs" needs/limits.txt 'cherry < 2'
approve
expect_exit 0 git scad build atlas
expect_match '^\[1/3\] .* kept$' "$err"
expect_match '^\[2/3\] .* s$' "$err"
expect_exit 0 git scad session start -q atlas delta
expect_match '^pear==3.0$' "$(packages delta)"

# Hashes: all as pip wants them, and nothing that differs.
commit_file "$docs" needs/docs.txt '# none'
commit_file "$code" requirements.txt "--index-url $index
$(grep -e '^plum' -e '^cherry==1' "$index_dir/hashes")"
approve
expect_exit 0 git scad build atlas
commit_file "$code" requirements.txt "--index-url $index
$(grep -e '^plum' "$index_dir/hashes" | sed 's/sha256:..../sha256:0000/')"
approve
expect_exit 128 git scad build atlas
expect_match 'DO NOT MATCH THE HASHES' "$err"
expect_match 'step 2 of 3: requirements' "$err"
# A directory of wheels in the repo, and no index.
mkdir "$code/wheels"
cp "$index_dir"/simple/*/*.whl "$code/wheels"
commit_file "$code" requirements.txt $'--no-index\n--find-links wheels\napple\ncherry'
approve
expect_exit 0 git scad build atlas
expect_exit 0 git scad session start -q atlas epsilon
expect_match '^apple==2.0$' "$(packages epsilon)"

# What is not there is said before anything is done.
commit_file "$code" requirements.txt '-r absent.txt'
approve
expect_exit 128 git scad build atlas
expect_match "'code/requirements.txt' names 'absent.txt', which the base commit of the repo does not have" "$err"
expect_match 'atlas.toml:8:' "$err"
