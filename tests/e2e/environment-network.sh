#!/usr/bin/env bash
# Would catch: baking that reaches a host which nobody allowed, or does not reach one that is allowed; package caches that
# are not scad's own, or are shared by projects or with what was installed.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"

make_tools
bash "$support/make_ca.sh" "$tools/ca" 127.0.0.1
start_index --cert "$tools/ca/server.pem" --key "$tools/ca/server.key" apple==1.0
rm "$tools/ca/server.key"
make_project '[environment]' "tools = [\"$tools\"]" "env = { PIP_CERT = \"$tools/ca/ca.pem\", PIP_RETRIES = \"0\" }" '[environment.python]' \
    'requirements = ["code/requirements.txt"]'
commit_file "$code" requirements.txt "--index-url $index
apple"
commit_file "$docs" .scad/other.toml "$(sed 's,^requirements.*,&,' "$docs/.scad/atlas.toml")"
approve() { git -C "$docs" scad config trust --yes "${1:-atlas}" >/dev/null 2>&1; }
approve

# What a requirement file names is what the steps need, unless the project says what may be reached.
expect_exit 0 git scad build atlas
[[ -d $XDG_CACHE_HOME/scad/packages ]] || fail "no cache of packages"
expect_same "" "$(find "$XDG_CACHE_HOME/scad/packages" "$state/environments" -type f -links +1)"
expect_exit 0 git scad session start -q atlas alpha
expect_exit 0 in_session alpha python -c 'import apple'
expect_exit 2 in_session alpha ls -d /var/cache/scad /home/agent/.cache # neither the cache nor the home of the baking
expect_same "" "$(<"$out")"
: >"$index_dir/requests"
git scad session rm -q --purge alpha
git scad build -q --prune
expect_exit 0 git scad build atlas
expect_no_match 'whl' "$index_dir/requests" # the cache has it
expect_exit 0 git scad build --no-cache atlas
expect_match 'whl' "$index_dir/requests"
: >"$index_dir/requests"
approve other
expect_exit 0 git scad build other
expect_match 'up to date|baked environment' "$err"

sed -i "s,^tools,allow = [\"mirror.example.org\"]\n&," "$docs/.scad/atlas.toml"
commit_file "$code" requirements.txt "--index-url https://index.example.org/simple
apple==1.0"
approve
expect_exit 128 git scad build atlas
expect_match 'network: refused index.example.org:443' "$err"
sed -i "s,^allow.*,network = \"none\"," "$docs/.scad/atlas.toml"
commit_file "$code" requirements.txt "--index-url $index
apple==1.0"
approve
expect_exit 128 git scad build atlas
sed -i "s,^network.*,allow = [\"127.0.0.1:$index_port\"]," "$docs/.scad/atlas.toml"
approve
expect_exit 0 git scad build atlas
