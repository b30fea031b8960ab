#!/usr/bin/env bash
# Would catch: the scripted model no longer speaks what the pinned agent expects, so that other tests fail for no
# fault of scad's.
. "$(dirname "$0")/../support/world.sh"

need_agent claude
make_repo repo README
cat >script.json <<'END'
{
  "edit": [
    {"text": "I write the file.",
     "tools": [{"name": "Write", "input": {"file_path": "@REPO@/new.txt", "content": "written by a tool\n"}}]},
    {"tools": [{"name": "Bash", "input": {"command": "git add -A && git commit -qm 'by the agent' && echo committed"}}]},
    {"text": "All is done.", "usage": {"input_tokens": 7, "output_tokens": 3}}
  ],
  "again": [{"text": "I remember."}],
  "refused": [{"status": 400, "error": "no such model here"}],
  "busy": [{"status": 529, "error": "overloaded", "times": 1}],
  "silent": [{"stall": "start"}],
  "hanging": [{"text": "some words", "stall": "middle"}],
  "cut": [{"text": "some words", "broken": "cut"}],
  "junk": [{"text": "some words", "broken": "junk"}]
}
END
sed -i "s|@REPO@|$trash/repo|" script.json

# ask <prompt> [<option of claude>…]: the agent's events on stdout
ask() {
    local prompt=$1
    shift
    (cd repo && timeout "${limit:-60}" claude -p --output-format stream-json --verbose --dangerously-skip-permissions "$@" <<<"$prompt")
}
# last <key>: of the last event
last() { python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readlines()[-1]).get(sys.argv[2]))' "$out" "$1"; }

export ANTHROPIC_API_KEY=key-of-the-test CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
export CLAUDE_CODE_MAX_RETRIES=1 API_TIMEOUT_MS=3000

start_model script.json
export ANTHROPIC_BASE_URL=$model

expect_exit 0 ask "please [script:edit]"
expect_same "All is done." "$(last result)"
expect_same "written by a tool" "$(<repo/new.txt)"
expect_same "by the agent" "$(git -C repo log -1 --format=%s)"
expect_match '"x-api-key": "key-of-the-test"' "$model_log"

expect_exit 0 ask "and now [script:again]" --continue
expect_same "I remember." "$(last result)"

expect_exit 0 ask "no script"
expect_same "ok" "$(last result)"

expect_exit 1 ask "[script:refused]"
expect_same True "$(last is_error)"
expect_match "no such model here" "$(last result)"

expect_exit 0 ask "[script:busy]"

for script in silent cut junk; do
    expect_exit 1 ask "[script:$script]"
done
# Silence in the middle of an answer is what no time limit of the agent's own ends.
limit=6 expect_exit 124 ask "[script:hanging]"
expect_match '"type":"system"' "$out"

# The same over TLS, by an authority that only the agent is told of.
bash "$support/make_ca.sh" "$trash/ca" 127.0.0.2
start_model script.json --bind 127.0.0.2 --cert ca/server.pem --key ca/server.key
export ANTHROPIC_BASE_URL=$model NODE_EXTRA_CA_CERTS=$trash/ca/ca.pem SSL_CERT_FILE=$trash/ca/ca.pem
expect_match '^https://127.0.0.2:' "$model"
expect_exit 0 ask "[script:again]"
expect_same "I remember." "$(last result)"
