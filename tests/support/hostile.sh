# shellcheck shell=bash disable=SC2016,SC2119,SC2154 # scripts for an inner shell; world.sh sets what is not set here
# For tests/security/hostile-*.sh; sourced after world.sh. Each case is a session that leaves something bad behind in its
# repo `code`; then all that the host ever does with a session is done to it, live and stopped, piped and on a terminal.

. "$(dirname "${BASH_SOURCE[0]}")/session.sh"

# What a bad session would have the host run. Neither folder is in any sandbox, so it can only work on the host.
canary=$trash/canary
mkdir "$canary"
payload="touch $canary/ran $HOME/canary-ran"

export NO_COLOR=1 GIT_PAGER=cat PAGER=cat GIT_EDITOR=true
git config --global color.ui false

ran() { [[ -e $canary/ran || -e $HOME/canary-ran ]]; }
forget() { rm -f "$canary/ran" "$HOME/canary-ran"; }

# on_host <command>…: whatever it answers, it ends in time, by itself, and runs nothing of the session's. Its output is kept.
on_host() {
    local got=0
    timeout -k 5 "${command_limit:-60}" "$@" >>"$said" 2>&1 </dev/null || got=$?
    [[ $got -ne 124 && $got -lt 130 ]] || fail "$case_name: status $got: $*"
    ! ran || fail "$case_name: this ran something of the session's on the host: $*"
}

# The same, as a person at a terminal would see it.
on_terminal() {
    on_host script -qec "$(printf '%q ' "$@")" /dev/null
}

# every_command <session>: those that leave the session there.
every_command() {
    local session=$1 clone=$trash/clone command
    on_host git -C "$code" fetch "scad/$session"
    on_terminal git -C "$code" fetch "scad::$session"
    on_host git -C "$code" ls-remote "scad/$session"
    on_host git -C "$code" archive --output="$trash/archive.tar" --remote="scad/$session" honest
    on_host git clone --no-checkout "scad::$session/code" "$clone"
    rm -rf "$clone"
    on_host git -C "$code" push "scad/$session" main:pushed
    on_terminal git scad code fetch "$session"
    for command in "code log" "code log --patch" "code diff" "session show"; do
        # shellcheck disable=SC2086 # words
        on_terminal git scad $command "$session"
    done
    on_host git scad session show --json "$session"
    on_host git scad code log "$session"
    on_terminal git scad status
    on_host git scad status --json
    on_host git scad status --porcelain
    on_terminal git scad session list
    on_host git scad session snapshot "$session"
}

# no_damage: nothing ran, nothing of the host's changed, and nothing raw was printed.
no_damage() {
    local foreign
    ! ran || fail "$case_name: something of the session's ran on the host"
    expect_same "$code_before" "$(host_state "$code")"
    expect_same "$docs_before" "$(host_state "$docs")"
    foreign=$(git -C "$code" for-each-ref --format='%(refname)' refs/remotes/scad refs/scad-session refs/scad |
        grep -Ev "^refs/(remotes/scad|scad-session)/$1(/|\$)" || true)
    expect_same "" "$foreign"
    # C0 but tab, newline and return; DEL; C1 as bytes of UTF-8; bidirectional controls.
    if LC_ALL=C grep -naP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' "$said" >"$trash/raw"; then
        cat -v "$trash/raw" | head -n 5 >&2
        fail "$case_name: raw control characters on the terminal"
    fi
}

# plain_copy <session>: $plain is what the session left, as plain git on the host would meet it.
plain_copy() {
    plain=$trash/plain
    rm -rf "$plain"
    cp -a "$state/sessions/$1/repos/code/$layer" "$plain"
    rm -rf "$plain/.git"
    cp -a "$state/sessions/$1/repos/code/git" "$plain/.git"
    [[ -L $plain/.git/objects ]] || printf '%s\n' "$code/.git/objects" >"$plain/.git/objects/info/alternates"
}

# works_on_plain_git <session> <command>…: run in $plain, the command runs the payload: the case can fail.
works_on_plain_git() {
    local session=$1
    shift
    plain_copy "$session"
    forget
    (cd "$plain" && timeout -k 5 20 "$@" >"$trash/plain.out" 2>&1 </dev/null) || true
    ran || {
        cat -v "$trash/plain.out" >&2
        fail "$case_name: the payload does not even run with plain git: $*"
    }
    forget
}

# hostile <session> <script> [<argument>…]: a session with an honest branch in both repos, and then the script run in
# /work/code. $1 in it is the payload, and so on.
hostile() {
    case_name=$1
    said=$trash/said.$1
    : >"$said"
    start "$1"
    honest=$(commit "$1" code honest honest)
    honest_docs=$(commit "$1" docs honest honest)
    inside "$1" code "$2" "$payload" "${@:3}" >/dev/null
}

# survive <session> [arrives|may-fail]: everything is done to it; the honest branch arrives, and that of the other repo always.
survive() {
    local session=$1 arrives=${2:-arrives}
    every_command "$session"
    on_host git scad session stop "$session"
    every_command "$session"
    on_host git -C "$docs" fetch "scad/$session"
    expect_tip "$docs" "scad/$session/honest" "$honest_docs"
    [[ $arrives != arrives ]] || expect_tip "$code" "scad/$session/honest" "$honest"
    on_host git scad session resume "$session"
    on_host git scad session rm "$session"
    [[ ! -d $state/sessions/$session ]] || on_host git scad session rm --force "$session"
    [[ ! -d $state/sessions/$session ]] || fail "$case_name: the session cannot be removed"
    no_damage "$session"
    on_host git scad session rm --purge "$session"
    on_host git scad code prune "$session"
    expect_same "" "$(git -C "$code" for-each-ref refs/remotes/scad refs/scad-session)"
}

begin() { # the project, and what it looks like before
    make_project
    git scad build -q atlas
    code_before=$(host_state "$code")
    docs_before=$(host_state "$docs")
}
