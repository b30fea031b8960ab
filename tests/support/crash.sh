# shellcheck shell=bash
# shellcheck disable=SC2154 # world.sh, which a test sources first, sets $trash, $state, $out and $err
# For scripts that kill what they test; sourced after world.sh.

# milliseconds <command>…: how long it takes
milliseconds() {
    local start=${EPOCHREALTIME/./}
    "$@" >/dev/null 2>&1
    echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

# kill_after <milliseconds> <program> <argument>…: SIGKILL for that process alone, when it still runs then. What it
# wrote is in $out and $err.
kill_after() {
    local pause=$1 pid
    shift
    "$@" >"$out" 2>"$err" &
    pid=$!
    sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))"
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

supervisor_of() { # <session>: its process
    pgrep -f "scad-supervisor $state/sessions/$1 "
}

kill_supervisor() { # <session>: and until all of its sandbox is gone
    local pid
    pid=$(supervisor_of "$1")
    kill -KILL "$pid"
    wait_for 5 bash -c "! kill -0 $pid"
}
