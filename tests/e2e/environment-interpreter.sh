#!/usr/bin/env bash
# Would catch: an interpreter or a uv that a session cannot see taken without a word, a version that is not the wanted one,
# a uv.lock that is passed over.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

make_project
file=$docs/.scad/atlas.toml
python_is() { # <line>…: of [environment.python]
    printf '%s\n' '[repos.code]' 'path = "../code"' '[repos.docs]' 'path = "."' '[environment]' 'network = "none"' "${more[@]}" \
        '[environment.python]' "$@" >"$file"
    git -C "$docs" scad config trust --yes >/dev/null 2>&1 || true
}
more=()
version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')

python_is "version = \"$version\""
expect_exit 0 git scad build atlas
expect_match "^\[1/1\] python: /usr/bin/python$version " "$err"
expect_exit 0 git scad session start -q atlas alpha
expect_same "$version" "$(in_session alpha python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
python_is "version = \"$version.99\""
expect_exit 128 git scad build atlas
expect_match "is Python $version.*, and environment.python.version is $version.99" "$err"
python_is 'version = "3.99"'
expect_exit 128 git scad build atlas
expect_match "atlas.toml:8:11: there is no 'python3.99' that a session can see" "$err"
python_is 'version = ">=3"'
expect_exit 128 git scad build atlas
expect_match "atlas.toml:8:11: 'environment.python.version' cannot be '>=3'" "$err"

# In a place of its own, which has to be named.
make_tools 'python3.99=exec /usr/bin/python3 "$@"'
ln -s /usr/bin/python3 "$tools/bin/python-own"
python_is "interpreter = \"$tools/bin/python-own\""
expect_exit 128 git scad build atlas
expect_match "a session cannot see the interpreter '$tools/bin/python-own'" "$err"
expect_match "^ *(hint: )?it is seen with tools = \[\"$tools\"\]" "$err"
PATH=$tools/bin:$PATH python_is 'version = "3.99"'
PATH=$tools/bin:$PATH expect_exit 128 git scad build atlas
expect_match "it is seen with tools = \[\"$tools\"\]" "$err"
mkdir "$HOME/bin"
ln -s "$HOME/bin/real" "$tools/bin/dangling"
cp /usr/bin/env "$HOME/bin/real"
more=("tools = [\"$tools\"]")
python_is "interpreter = \"$tools/bin/python-own\""
expect_exit 0 git scad build atlas
expect_match "^\[1/1\] python: $tools/bin/python-own " "$err"
python_is "interpreter = \"$tools/bin/dangling\""
expect_exit 128 git scad build atlas
expect_match "a session cannot see the interpreter '$HOME/bin/real'" "$err"

# A project, without and with a lock.
make_package "$code" basket
commit_file "$code" x x
python_is 'project = "code"'
expect_exit 0 git scad build atlas
expect_match '^\[2/2\] project: code  ' "$err"
expect_exit 0 git scad session start -q atlas beta
expect_exit 0 in_session beta python -c 'import basket; print(basket.__file__)'
expect_same /work/code/src/basket/__init__.py "$(<"$out")"
commit_file "$code" uv.lock 'version = 1'
git scad config trust -q --yes atlas >/dev/null
if ! command -v uv; then
    expect_exit 128 git scad build atlas
    expect_match "'code/uv.lock' takes uv to install, and there is none that a session can see" "$err"
fi
rm -rf "$tools"
make_tools 'uv=echo "$PWD $UV_PROJECT_ENVIRONMENT $UV_LINK_MODE $UV_PYTHON_DOWNLOADS $*" >/opt/scad/uv; cat uv.lock pyproject.toml >/dev/null'
more=("tools = [\"$tools\"]")
python_is 'project = "code"'
expect_exit 0 git scad build atlas
expect_match '^\[2/2\] project: code by its uv.lock  ' "$err"
expect_exit 0 git scad session start -q atlas gamma
expect_exit 0 in_session gamma cat /opt/scad/uv
expect_same '/work/code /opt/scad/venv copy never sync --frozen --inexact --no-progress' "$(<"$out")"
python_is 'project = "docs"'
expect_exit 128 git scad build atlas
expect_match "the base commit has no 'docs/pyproject.toml'" "$err"
