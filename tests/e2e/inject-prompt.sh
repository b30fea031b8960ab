#!/usr/bin/env bash
# Would catch: a prompt that reaches the agent changed, from the wrong source, or not at all; a prompt that is empty or has unfilled places and is sent all the same.
. "$(dirname "$0")/../support/world.sh"
. "$support/fake_agent.sh"

fake_agent
make_project
mkdir -p "$docs/.scad/prompts"
printf '%s\n' 'Review {path} for {what}.' 'Keep {{this}} and { that } and {}.' >"$docs/.scad/prompts/review.md"
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
# It keeps its prompt, and does what an agent's output has to have.
agent_says alpha <<'AGENT'
cat >/tmp/prompt
echo '{"type":"system","subtype":"init","session_id":"c-1","model":"m"}'
echo '{"type":"assistant","message":{"content":[{"type":"text","text":"I have read it."}]}}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"I have read it.","usage":{"input_tokens":1,"output_tokens":1}}'
AGENT

received() { # <expected>: what the agent got last
    git scad session exec -q alpha -- cat /tmp/prompt >got
    printf '%s' "$1" >expected
    cmp expected got || fail "the agent got '$(cat -v got)'"
}
kept() { git scad job show --json alpha | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

expect_exit 0 git scad inject alpha "the words"
expect_same "I have read it." "$(<"$out")"
received "the words"
expect_same "argument the words" "$(kept prompt_source) $(kept prompt)"
git scad inject -q alpha -m one -m $'two\nlines' --message='--three'
received $'one\n\ntwo\nlines\n\n--three'
expect_same one "$(git scad job list --porcelain alpha | tail -n 1 | cut -f8)"
git scad inject -q alpha -- true 2>/dev/null
git scad inject -q alpha -m "-- is no end here"
received "-- is no end here"

# Files: bytes as they are, 300 kB as well.
printf 'caf\xc3\xa9 \xff \t tab\r\nend' >prompt
git scad inject -q alpha -F prompt
received "$(cat prompt)"
git scad inject -q alpha -F - <prompt
received "$(cat prompt)"
git scad inject -q alpha -F <(echo piped)
received $'piped\n'
head -c 300000 /dev/zero | tr '\0' x >large
git scad inject -q alpha -F large
received "$(<large)"
(cd /; git -C "$trash" scad inject -q alpha -F prompt)
expect_exit 128 git scad inject alpha -F no-such-file
expect_match "no-such-file" "$err"

# Prompts by name.
git scad inject -q alpha -p review --set path=src/main.txt --set what='a {path} = b'
received $'Review src/main.txt for a {path} = b.\nKeep {this} and { that } and {}.\n'
expect_exit 128 git scad inject alpha -p review --set path=x
expect_match 'not filled: what' "$err"
expect_match '^hint: ' "$err"
expect_exit 129 git scad inject alpha -p review --set path=x --set what=y --set whta=z
expect_match 'whta' "$err"
expect_exit 128 git scad inject alpha -p reveiw
expect_match "^hint: did you mean 'review'" "$err"
expect_exit 129 git scad inject alpha -p ../review
expect_exit 129 git scad inject alpha -m x --set a=b

# The editor, as git finds it.
cat >bin/edit <<'EDITOR'
#!/bin/sh
cp "$1" "$EDITED"
{ printf '# A heading\n\nfrom the editor\n'; cat "$1"; } >"$1.new" && mv "$1.new" "$1"
EDITOR
chmod +x bin/edit
export EDITED=$trash/edited
GIT_EDITOR=edit git scad inject -q alpha
received $'# A heading\n\nfrom the editor\n'
expect_match 'session alpha \(atlas: code, docs\)' edited
git config --global core.editor "$trash/bin/edit"
git scad inject -q alpha
received $'# A heading\n\nfrom the editor\n'
before=$(git scad job list --porcelain alpha | wc -l)
GIT_EDITOR=true expect_exit 1 git scad inject alpha
expect_match 'nothing was sent' "$err"
GIT_EDITOR=false expect_exit 128 git scad inject alpha
expect_match "the editor 'false'" "$err"
expect_same "" "$(find "$state" -maxdepth 1 -name 'PROMPT_EDITMSG*')"

# Nothing is sent by mistake.
expect_exit 128 git scad inject alpha -m ''
expect_match 'the prompt is empty' "$err"
expect_exit 128 git scad inject alpha -F /dev/null
expect_exit 129 git scad inject alpha -m one -F prompt
expect_exit 129 git scad inject alpha words -m one
expect_exit 129 git scad inject alpha words -- true
expect_exit 129 git scad inject alpha --
expect_exit 129 git scad inject alpha --agent command -m words
expect_exit 128 git scad inject alpha --agent codex -m words
expect_match 'codex' "$err"
expect_exit 128 git scad inject alhpa words
expect_match "^hint: did you mean 'alpha'" "$err"
expect_exit 128 git scad inject -i alpha
expect_match 'not in this build yet' "$err"
expect_exit 128 git scad inject alpha --after alpha:1 words
expect_exit 129 git scad inject alpha --timeout soon words
expect_exit 129 git scad inject alpha --timeout 0 words
expect_same "$before" "$(git scad job list --porcelain alpha | wc -l)"
