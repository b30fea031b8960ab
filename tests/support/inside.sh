# shellcheck shell=bash disable=SC2154 # world.sh sets what is not set here
# For tests/security/inside-*.sh; sourced after world.sh. An act of inside_probe is tried from inside of a session, where
# it must be refused, and once more where the defence is switched off, to show that it can work at all:
#
#     in_vain alpha read "$HOME/secret"           inside of the session: refused
#     works plain read "$HOME/secret"             as the user, in no sandbox
#     works loose socket 40                       in a plain bubblewrap: the host's files, nothing filtered
#     works rooted mount /tmp                     the same as root of a user name space of its own, with all capabilities
#
# Files have to be named as they are called where the act is tried.

probe=$SCAD_TEST_BIN/inside_probe
[[ -x $probe ]] || fail "no '$probe': build it"
command -v bwrap >/dev/null || skip "no bubblewrap"

# begin_inside [<more of the project file>]: a project, built, and its session alpha with the probe in it.
begin_inside() {
    make_project "$@"
    git scad build -q atlas
    begin_session alpha
}

begin_session() { # <session> [<project>]
    git scad session start -q "${2:-atlas}" "$1" >/dev/null
    bring_probe "$1"
}

bring_probe() { # <session>
    git scad session exec "$1" -- sh -c 'cat >/tmp/probe && chmod 755 /tmp/probe' <"$probe"
}

in_session() { git scad session exec "$1" -- "${@:2}"; }
plain() { "$@"; }
loose() { bwrap --unshare-user --bind / / --dev /dev --proc /proc "$@"; }
rooted() {
    bwrap --unshare-all --uid 0 --gid 0 --cap-add ALL --bind / / --dev /dev --proc /proc "$@"
}
# All name spaces of a session's, with the user's own files: what is refused there is refused by them.
apart() { bwrap --unshare-all --bind / / --dev /dev --proc /proc "$@"; }

# try <status> <where> <act> [<word>…]: the probe ends with that status; its words are in $said.
try() {
    local expected=$1 how=("$2") program=$probe got=0
    shift 2
    if [[ $(type -t "${how[0]}") != function ]]; then
        how=(in_session "${how[0]}")
        program=/tmp/probe
    fi
    said=$("${how[@]}" "$program" "$@" 2>&1 </dev/null) || got=$?
    [[ $got == "$expected" ]] && return
    printf '%s\n' "$said" | head -c 2000 | cat -v >&2
    fail "${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}: expected status $expected, got $got: ${how[*]}: $*"
}
in_vain() { try 1 "$@"; }
works() { try 0 "$@"; }

# tried <session> <where it works> <act> [<word>…]: both.
tried() {
    try 1 "$1" "${@:3}"
    try 0 "$2" "${@:3}"
}

# narrow_tried: the same, for calls of 32-bit programs, which a kernel may not have.
narrow_tried() {
    local got=0
    "$probe" "${@:3}" >/dev/null 2>&1 || got=$?
    if [[ $got == 3 ]]; then
        try 3 "$1" "${@:3}"
    else
        tried "$@"
    fi
}

# start_server <path>|@<name>…: the host's server; $port is its port on loopback.
start_server() {
    "$probe" serve "$trash/.port" "$@" &
    at_end stop_process $!
    wait_for 10 test -s "$trash/.port"
    # shellcheck disable=SC2034 # for the script
    port=$(<"$trash/.port")
}

# other_project <name> [<more of its file>]…: over the same repos, approved and built.
other_project() {
    local name=$1
    shift
    printf '%s\n' '[repos.code]' 'path = "../code"' '[repos.docs]' 'path = "."' "$@" >"$docs/.scad/$name.toml"
    git -C "$docs" scad config trust --yes "$name" >&2
    git scad build -q "$name"
}
