# shellcheck shell=bash
# A world of its own for one test script, which sources this file first:
#
#     #!/usr/bin/env bash
#     # What would be caught: …
#     . "$(dirname "$0")/../support/world.sh"
#
# The script then runs in $trash, its own folder, with its own HOME and git configuration, the built programs first
# on PATH, no terminal, and nothing else of the caller's environment. Any command that fails ends the test. At the
# end its sessions are purged, and a process or a mount that is left fails it.
#
# Read: SCAD_TEST_BIN (the built programs), SCAD_TEST_AGENTS (a folder with the agents' programs),
# SCAD_TEST_REQUIRE_ALL=1 (what would be skipped fails), SCAD_TEST_KEEP=1 (leave the folder),
# SCAD_TEST_WORKSPACE (overlay or copy: the kind of all working copies), SCAD_TEST_TIMEOUT (seconds).

set -Eeuo pipefail

if [[ -z ${SCAD_TEST_TRASH:-} ]]; then
    # The script starts again from here, in the clean environment and in a session of its own: at the time limit its
    # whole process group is told, so that what hangs ends and the clean-up still runs.
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    bin=${SCAD_TEST_BIN:-$(realpath -m "$here/../../build/bin")}
    [[ -x $bin/git-scad ]] || {
        echo "no programs in '$bin': ./run build, or set SCAD_TEST_BIN" >&2
        exit 1
    }
    new=$(mktemp -d "${TMPDIR:-/tmp}/scad-test.XXXXXX")
    exec env -i SCAD_TEST_TRASH="$new" SCAD_TEST_BIN="$bin" SCAD_TEST_AGENTS="${SCAD_TEST_AGENTS:-}" \
        SCAD_TEST_REQUIRE_ALL="${SCAD_TEST_REQUIRE_ALL:-}" SCAD_TEST_KEEP="${SCAD_TEST_KEEP:-}" \
        SCAD_TEST_WORKSPACE="${SCAD_TEST_WORKSPACE:-}" \
        PATH="$bin:/usr/bin:/bin" HOME="$new/home" USER="$(id -un)" LOGNAME="$(id -un)" SHELL=/bin/bash TERM=dumb \
        TMPDIR="$new/tmp" XDG_STATE_HOME="$new/home/.local/state" XDG_CACHE_HOME="$new/home/.cache" \
        XDG_CONFIG_HOME="$new/home/.config" XDG_DATA_HOME="$new/home/.local/share" TZ=UTC LC_ALL=C.UTF-8 \
        GIT_CONFIG_GLOBAL="$new/home/.gitconfig" GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1 \
        GIT_AUTHOR_DATE=2026-01-02T03:04:05Z GIT_COMMITTER_DATE=2026-01-02T03:04:05Z GIT_TERMINAL_PROMPT=0 \
        setsid --wait timeout --kill-after=30 "${SCAD_TEST_TIMEOUT:-270}" bash "$(realpath "$0")" "$@" </dev/null
fi

trash=$SCAD_TEST_TRASH
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=$XDG_STATE_HOME/scad
# What a session has written lies in $state/sessions/<session>/repos/<repo>/$layer.
layer=upper
# shellcheck disable=SC2034 # for the script
[[ ${SCAD_TEST_WORKSPACE:-} != copy ]] || layer=files
# What the command of the last expect_exit wrote.
out=$trash/.stdout
err=$trash/.stderr
undo_stack=()

fail() { # <message>: ends the test
    trap - ERR
    printf 'FAIL: %s\n' "$*" >&2
    exit 1
}

skip() { # <reason>: this host cannot run the test
    [[ ${SCAD_TEST_REQUIRE_ALL:-} != 1 ]] || fail "cannot run here: $*"
    trap - ERR
    printf 'SKIP: %s\n' "$*" >&2
    exit 77
}

at_end() { # <command>…: run when the test ends, however it ends; the newest first
    undo_stack+=("$(printf '%q ' "$@")")
}

# expect_exit <status> <command>…: the command ends by itself with that status. Its output is in $out and $err.
expect_exit() {
    local expected=$1 got=0 signal=
    shift
    if [[ $(type -t "$1") == function || $(type -t "$1") == builtin ]]; then
        "$@" >"$out" 2>"$err" || got=$?
    else
        # Only a parent can tell "killed by 9" from "exit 137"; bash cannot, perl can.
        : >"$trash/.signal"
        # shellcheck disable=SC2016 # perl's own variables
        perl -e '
            my $to = shift;
            my $how = system {$ARGV[0]} @ARGV;
            if ($how == -1) { print STDERR "$ARGV[0]: $!\n"; exit 127 }
            if ($how & 127) { open my $f, ">", $to; print $f $how & 127 }
            exit(($how & 127) ? 128 + ($how & 127) : $how >> 8)' "$trash/.signal" "$@" >"$out" 2>"$err" || got=$?
        signal=$(<"$trash/.signal")
    fi
    [[ -z $signal && $got == "$expected" ]] && return
    printf '%s\n' "--- stdout" "$(head -c 4000 "$out" | cat -v)" "--- stderr" "$(head -c 4000 "$err" | cat -v)" >&2
    fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: expected exit status $expected, got ${signal:+signal $signal = }$got: $*"
}

# expect_same <expected> <actual>: two files, two folders, or two texts.
expect_same() {
    if [[ -e $1 && -e $2 ]]; then
        diff -ru --no-dereference "$1" "$2" >&2 || fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: '$1' and '$2' differ"
    else
        diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$2") >&2 ||
            fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: the texts differ"
    fi
}

text_of() { # <file or text>
    if [[ -f $1 ]]; then cat -- "$1"; else printf '%s\n' "$1"; fi
}

expect_match() { # <extended regular expression> <file or text>: some line matches
    # No pipe: grep is done before a long text is, and that is no failure.
    grep -Eaq -e "$1" <(text_of "$2") || {
        text_of "$2" | head -c 4000 | cat -v >&2
        fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: nothing matches '$1'"
    }
}

expect_no_match() { # <extended regular expression> <file or text>: no line matches
    ! text_of "$2" | grep -Ea -e "$1" >&2 || fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: this matches '$1'"
}

wait_for() { # <seconds> <command>…: until the command succeeds; its output is dropped
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [[ ${EPOCHREALTIME/./} -lt $end ]] || fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: waited in vain for: $*"
        sleep 0.05
    done
}

# make_repo <dir> [<file>[=<content>]…]: a repository with one commit; a file without a content holds its own name.
make_repo() {
    local dir=$1 file
    shift
    git init -q "$dir"
    [[ $# -gt 0 ]] || set -- README
    for file; do
        mkdir -p "$(dirname "$dir/${file%%=*}")"
        printf '%s\n' "${file#*=}" >"$dir/${file%%=*}"
    done
    git -C "$dir" add -A
    git -C "$dir" commit -q -m "initial"
}

# make_project [<more of the project file>]: the repos $code and $docs, and the project 'atlas' of both, approved and
# found from anywhere.
make_project() {
    code=$trash/code docs=$trash/docs
    make_repo "$code" README.md src/main.txt
    make_repo "$docs" README.md
    mkdir -p "$docs/.scad"
    printf '%s\n' '[repos.code]' 'path = "../code"' '[repos.docs]' 'path = "."' "$@" >"$docs/.scad/atlas.toml"
    git -C "$docs" add -A
    git -C "$docs" commit -q -m "the project"
    git config --global scad.docs "$docs"
    git -C "$docs" scad config trust --yes >&2
}

# host_state <repo>: one line a part with a digest of all that a session must leave as it was; scad's own refs, its
# remotes file and the line that includes it left out.
host_state() {
    local top git
    top=$(git -C "$1" rev-parse --show-toplevel)
    git=$(git -C "$1" rev-parse --path-format=absolute --git-common-dir)
    {
        # Modes and times of change count too.
        printf 'worktree %s\n' "$(tar -C "$top" --sort=name --exclude=./.git -c . | sha256sum)"
        printf 'index %s\n' "$(sha256sum <"$(git -C "$1" rev-parse --path-format=absolute --git-path index)")"
        printf 'config %s\n' "$(awk '
            held != "" && /path *=.*scad\/remotes/ { held = ""; next }
            held != "" { print held; held = "" }
            /^\[include\]$/ { held = $0; next }
            { print }
            END { if (held != "") print held }' "$git/config" | sha256sum)"
        printf 'hooks %s\n' "$(tar -C "$git" --sort=name -c hooks info/exclude 2>/dev/null | sha256sum)"
        printf 'reflogs %s\n' "$(cd "$git" && find logs -type f ! -path 'logs/refs/remotes/scad/*' -print0 2>/dev/null |
            sort -z | xargs -0r sha256sum | sha256sum)"
        printf 'HEAD %s\n' "$(<"$git/HEAD")"
        git -C "$1" for-each-ref --format='%(refname) %(objectname) %(symref)' |
            grep -Ev '^refs/(remotes/scad|scad-session|scad)/' || true
    } | sed 's/  -$//'
}

# start_model <script.json> [<option of model_server.py>…]: the scripted model; $model is its URL, $model_log its log
# of requests.
start_model() {
    local script=$1 scheme=http address=127.0.0.1 port=$trash/.model-port number
    shift
    model_log=$trash/model.jsonl
    for ((number = 1; number <= $#; ++number)); do
        case ${!number} in
            --cert) scheme=https ;;
            --bind) address=${*:number+1:1} ;;
        esac
    done
    rm -f "$port"
    python3 "$support/model_server.py" --script "$script" --port-file "$port" --log "$model_log" "$@" \
        2>"$trash/model.stderr" &
    at_end stop_process $!
    wait_for 10 test -s "$port"
    # shellcheck disable=SC2034 # for the script
    model=$scheme://$address:$(<"$port")
}

stop_process() { # <pid of a child of this shell>
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# need_agent <program>: puts the agents on PATH, or skips.
need_agent() {
    [[ -n ${SCAD_TEST_AGENTS:-} && -x $SCAD_TEST_AGENTS/$1 ]] || skip "no $1: ./run test installs it"
    PATH=$SCAD_TEST_BIN:$SCAD_TEST_AGENTS:/usr/bin:/bin
}

# The processes of this test but for this shell and its ancestors: they have the test's folder in their environment,
# in an argument (supervisors) or under a mount (whatever runs in a sandbox).
our_processes() {
    local pid own=" " found
    for ((pid = BASHPID; pid > 1; )); do
        own+="$pid "
        pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null || echo 0)
    done
    found=$({
        grep -lszaF -e "$trash" /proc/[0-9]*/environ || true
        grep -lszaF -e "$trash/" /proc/[0-9]*/cmdline || true
        grep -lsaF -e "${trash##*/}/" /proc/[0-9]*/mountinfo || true
    } | cut -d/ -f3 | sort -un)
    for pid in $found; do
        # Who has gone meanwhile, such as those greps, does not count.
        [[ $own == *" $pid "* || ! -d /proc/$pid ]] || printf '%s\n' "$pid"
    done
}

no_process_left() { [[ -z $(our_processes) ]]; }

end_world() {
    local status=$? entry pid session left=
    trap - ERR EXIT
    trap : TERM INT # to go on; what is started here can still be ended
    set +e
    if [[ $status -ne 0 && $status -ne 77 ]]; then
        find "$trash" -path '*/scad/*' -name '*.log' -size +0 -print 2>/dev/null | head -n 20 | while read -r entry; do
            printf '%s\n' "--- ${entry#"$trash"/}" "$(tail -n 20 -- "$entry" | tail -c 4000 | cat -v)" >&2
        done
    fi
    cd "$trash" || exit 1
    for ((entry = ${#undo_stack[@]} - 1; entry >= 0; --entry)); do
        eval "${undo_stack[entry]}" || {
            printf 'FAIL: at the end: %s\n' "${undo_stack[entry]}" >&2
            status=1
        }
    done
    if [[ -d $state/sessions ]]; then
        for session in "$state"/sessions/*/; do
            session=$(basename "$session")
            [[ ! -d $state/sessions/$session ]] ||
                timeout -k 5 60 git scad session rm --purge "$session" >"$out" 2>"$err" || cat -v "$err" >&2
        done
    fi
    # Ending takes processes a moment.
    for ((entry = 0; entry < 60; ++entry)); do
        no_process_left && break
        sleep 0.05
    done
    for pid in $(our_processes); do
        left+="  process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-200 | cat -v)"$'\n'
        kill -KILL "$pid"
    done
    left+=$(grep -F "$trash" /proc/self/mountinfo | sed 's/^/  mount /')
    if [[ -n $left ]]; then
        printf 'FAIL: left behind:\n%s\n' "$left" >&2
        status=1
    fi
    cd /
    if [[ ${SCAD_TEST_KEEP:-} == 1 ]]; then
        printf 'kept: %s\n' "$trash" >&2
    else
        chmod -R u+rwX "$trash" 2>/dev/null # the kernel's overlay work folders have mode 000
        rm -rf "$trash" || status=1
    fi
    exit "$status"
}

trap 'printf "FAIL: %s:%s: status %s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$?" "$BASH_COMMAND" >&2' ERR
trap end_world EXIT
trap 'fail "stopped by a signal, or out of time"' TERM INT HUP

mkdir -p "$HOME" "$TMPDIR"
cd "$trash"
git config --global user.name "A U Thor"
git config --global user.email "author@example.com"
git config --global init.defaultBranch main
[[ -z ${SCAD_TEST_WORKSPACE:-} ]] || git config --global scad.workspace "$SCAD_TEST_WORKSPACE"
[[ $EUID -ne 0 ]] || fail "tests run as an ordinary user: ./run test sees to it"
