# shellcheck shell=bash
# shellcheck disable=SC2154 # world.sh, which a test sources first, sets $trash, $state, $out and $err
# An agent that says what a test wants, without any model; sourced after world.sh.

# fake_agent: puts a program `claude` on PATH that runs /tmp/agent inside the session, with its own arguments and
# input. A program, because scripts that do more than start another one are not brought into a session.
fake_agent() {
    mkdir -p "$trash/bin"
    printf '%s\n' '#include <unistd.h>' 'int main(int, char** v) { execv("/tmp/agent", v); return 127; }' >"$trash/bin/claude.cc"
    g++ -o "$trash/bin/claude" "$trash/bin/claude.cc"
    PATH=$trash/bin:$PATH
    export ANTHROPIC_API_KEY=not-a-real-key
}

# agent_says <session>: what its agent does from now on, a script of sh on standard input.
agent_says() {
    { echo '#!/bin/sh' && cat; } | git scad session exec -q "$1" -- sh -c 'cat >/tmp/agent && chmod +x /tmp/agent'
}
