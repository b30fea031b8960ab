# shellcheck shell=bash disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
# For scripts about what comes back from a session; sourced after world.sh.

start() { # <session>…: of the project 'atlas'
    local session
    git scad build -q atlas
    for session; do git scad session start -q atlas "$session" >/dev/null; done
}

inside() { # <session> <repo> <script of sh> [<argument>…]: in the repo's directory
    local session=$1 repo=$2 script=$3
    shift 3
    git scad session exec -w "/work/$repo" "$session" -- sh -euc "$script" sh "$@"
}

commit() { # <session> <repo> <branch> <word>: a file named <word>.txt as a commit on that branch, made when missing; its id
    inside "$1" "$2" '
        back=$(git symbolic-ref --short HEAD)
        git switch -q "$1" 2>/dev/null || git switch -q -c "$1"
        echo "$2" >"$2.txt"
        git add "$2.txt"
        git commit -q -m "$2"
        git rev-parse HEAD
        git switch -q "$back"' "$3" "$4"
}

tip() { # <repo> <ref>: its id; nothing when it is not there
    git -C "$1" rev-parse -q --verify "$2" || true
}

expect_tip() { # <repo> <ref> <id>
    [[ $(tip "$1" "$2") == "$3" ]] ||
        fail "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: '$2' is '$(tip "$1" "$2")', not '$3'"
}
