#!/usr/bin/env bash
# Would catch: a command of the tutorial that does not do what the page says, in the order and the words of the page; a section that takes more than four.
. "$(dirname "$0")/../support/world.sh"

need_agent claude
page=$support/../../man/git-scad-tutorial.7.scd

# The commands below a heading, one a line.
commands_of() { # <heading>
    awk -v heading="# $1" '
        /^# / { here = $0 == heading; next }
        here && /^```/ { inside = !inside; next }
        here && inside' "$page"
}

# Runs the commands of a section, or some of them; its output is in $out.<number of the command>.
ran=
run_section() { # <heading> [<first> <last>]
    local number=0 command
    ran+="$1"$'\n'
    while read -r command; do
        number=$((number + 1))
        [[ $number -ge ${2:-1} && $number -le ${3:-99} ]] || continue
        printf '%s\n' "\$ $command" >&2
        # On a terminal, as a user has it; whoever asks something is told yes.
        script -qefc "cd $trash/src/docs && $command" /dev/null <<<y >"$out.$number" 2>&1 || fail "$1: '$command': status $? $(cat -v "$out.$number")"
        cat -v "$out.$number" >&2
    done < <(commands_of "$1")
    [[ $number -gt 0 && $number -le 4 ]] || fail "section '$1' has $number commands"
}

# The model does in each job what a prompt of the page asks for. (It may be asked again when a conversation goes on.)
model_does() { # <shell command>
    python3 -c 'import json, sys; json.dump({"default": [{"text": "I do it.", "tools": [{"name": "Bash", "input": {"command": sys.argv[1]}}]}, {"text": "All is done."}]}, open(sys.argv[2], "w"))' \
        "$1" "$trash/script.json"
    start_model "$trash/script.json"
    export ANTHROPIC_BASE_URL=$model
}

git config --global color.ui false
make_repo src/atlas loader.py=old
make_repo src/docs tasks/loader.md
export ANTHROPIC_API_KEY=key-of-the-test CLAUDE_CODE_MAX_RETRIES=1 GIT_PAGER=cat GIT_MERGE_AUTOEDIT=no TERM=xterm
unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE

run_section "FIRST USE IN TWO REPOS"
expect_match 'repo atlas' "$out.2"
expect_match '^\[repos.atlas\]' src/docs/.scad/atlas.toml
# The model of this test is on loopback.
printf '[network]\nmode = "host"\n' >src/docs/.scad/atlas.local.toml
git -C src/docs scad config trust --yes atlas

model_does 'cd /work/atlas && echo "new format" >loader.py && git commit -qam "Read the new format" && echo "by hand" >draft'
run_section "DISPATCH AND LOOK"
expect_match 'alpha' "$out.2"
expect_match '1 commit' "$out.3"
expect_match '\+new format' "$out.4"
expect_match '\+by hand' "$(git -C src/docs scad code diff alpha)"

model_does 'cd /work/atlas && echo "format of $SCAD_SESSION" >format.py && git add format.py && git commit -qm "Read the format in $SCAD_SESSION"'
run_section "TWO ATTEMPTS, CHOOSE"
expect_match 'loader-1' "$out.1"
expect_match 'loader-2' "$out.2"
expect_match 'Read the format in loader' "$out.3"
expect_same "format of loader-2" "$(<src/atlas/format.py)"

model_does 'cd /work/atlas && rm -f draft && echo test >test.py && git add test.py && git commit -qm "Test the loader"'
run_section CONTINUE
expect_match 'All is done' "$out.1"
expect_match 'Test the loader' "$out.3"
conversation_of() { git scad job show --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["conversation"])'; }
expect_same "$(conversation_of alpha:1)" "$(conversation_of alpha:2)"

run_section "FIX BY HAND" 1 1
echo "a named format" >src/atlas-alpha/loader.py
run_section "FIX BY HAND" 2 3
expect_same "a named format" "$(git scad session exec alpha -- cat /work/atlas/loader.py)"
expect_same "" "$(git scad session exec alpha -- git -C /work/atlas status --porcelain)"

model_does 'cd /work/atlas && echo half >half.txt; sleep 600'
git scad inject -d alpha -m "Do the next thing." >/dev/null
wait_for 20 git scad session exec alpha -- test -e /work/atlas/half.txt
run_section "STUCK JOB" 1 3
expect_match 'alpha.*running' "$out.1"
expect_match 'sleep 600' "$out.2"
model_does 'cd /work/atlas && git add -A && git commit -qm "A smaller step"'
run_section "STUCK JOB" 4 4
expect_same half "$(git scad session exec alpha -- git -C /work/atlas show HEAD:half.txt)"

run_section FINISH
expect_match 'scad/alpha|Merge' "$out.2"
expect_same half "$(git -C src/atlas show main:half.txt)"
expect_same "" "$(git -C src/atlas for-each-ref refs/remotes/scad/alpha refs/scad-session/alpha)"

unset ANTHROPIC_API_KEY
mkdir -p "$HOME/.config"
echo sk-ant-oat01-of-the-test >"$XDG_CONFIG_HOME/claude-token"
run_section "SUBSCRIPTION LOGIN"
expect_match 'Bearer sk-ant-oat01-of-the-test' "$model_log"

# None was forgotten here.
expect_same "$(sed -n 's/^# //p' "$page" | grep -vx 'NAME\|DESCRIPTION\|SEE ALSO')" "$(uniq <<<"${ran%$'\n'}")"
