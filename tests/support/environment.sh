# shellcheck shell=bash
# shellcheck disable=SC2154 # world.sh, which a test sources first, sets $trash and $support
# For scripts about environments; sourced after world.sh.

# make_tools <program>=<script of sh>…: a directory of tools where a session can see one, which is not in /tmp; its
# name is in $tools.
make_tools() {
    local program
    tools=$(mktemp -d "$(getent passwd "$(id -u)" | cut -d: -f6)/scad-tools.XXXXXX")
    at_end rm -rf "$tools"
    mkdir "$tools/bin"
    for program; do
        printf '#!/bin/sh\n%s\n' "${program#*=}" >"$tools/bin/${program%%=*}"
        chmod +x "$tools/bin/${program%%=*}"
    done
}

# start_index [--cert <pem> --key <key>] <name>==<version>[:<needs>,…]…: a package index of such packages on loopback;
# $index is its address, $index_port its port, $index_dir what it serves.
start_index() {
    local scheme=http port=$trash/.index-port
    [[ $1 != --cert ]] || scheme=https
    index_dir=$trash/index
    rm -rf "$port" "$index_dir"
    mkdir "$index_dir"
    python3 "$support/python_index.py" "$index_dir" "$port" "$@" 2>"$trash/index.stderr" &
    at_end stop_process $!
    wait_for 10 test -s "$port"
    # shellcheck disable=SC2034 # for the script
    index_port=$(<"$port") index=$scheme://127.0.0.1:$(<"$port")/simple
}

# commit_file <repo> <path> <content>
commit_file() {
    mkdir -p "$(dirname "$1/$2")"
    printf '%s\n' "$3" >"$1/$2"
    git -C "$1" add -A
    git -C "$1" commit -q -m "$2"
}

in_session() { # <session> <command>…
    local session=$1
    shift
    git scad session exec "$session" -- "$@"
}

# make_package <dir> <name> [<dependency>…]: a Python package with its sources in src/<name>, whose value is "one"
make_package() {
    local dir=$1 name=$2 needs
    shift 2
    needs=$(printf '"%s", ' "$@")
    [[ $# -gt 0 ]] || needs=
    mkdir -p "$dir/src/$name/part"
    cp "$support/build_backend.py" "$dir"
    printf '%s\n' '[project]' "name = \"$name\"" 'dynamic = ["version"]' "dependencies = [${needs%, }]" '[build-system]' \
        'requires = []' 'build-backend = "build_backend"' 'backend-path = ["."]' >"$dir/pyproject.toml"
    echo '__version__ = "1.5"' >"$dir/src/$name/__init__.py"
    echo 'value = "one"' >"$dir/src/$name/part/values.py"
}
