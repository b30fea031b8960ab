#!/usr/bin/env bash
# Would catch: an agent's failure taken for a success (refused, overloaded, cut off, silent, denied, nothing done, empty), a reason that is not told, a conversation that is not continued, an agent that goes on when its job has ended.
. "$(dirname "$0")/../support/world.sh"
. "$support/fake_agent.sh"

need_agent claude
real=$PATH
cat >script.json <<'END_OF_SCRIPT'
{
  "work": [
    {"text": "I write it.", "tools": [{"name": "Bash", "input": {"command": "echo by the agent >new && git add new && git commit -qm 'by the agent'"}}]},
    {"text": "All is done.", "usage": {"input_tokens": 70, "output_tokens": 30}}
  ],
  "again": [{"text": "I remember."}],
  "fails": [{"text": "I try.", "tools": [{"name": "Bash", "input": {"command": "exit 3"}}]}, {"text": "It failed, and I say so."}],
  "refused": [{"status": 400, "error": "no such model here"}],
  "unknown": [{"status": 401, "error": "invalid x-api-key"}],
  "limited": [{"status": 429, "error": "rate limit reached"}],
  "busy": [{"status": 529, "error": "overloaded"}],
  "cut": [{"text": "some words that end here", "broken": "cut"}],
  "junk": [{"text": "some words", "broken": "junk"}],
  "silent": [{"text": "some words", "stall": "middle"}],
  "daemon": [{"tools": [{"name": "Bash", "input": {"command": "setsid sleep 951 >/dev/null 2>&1 </dev/null &"}}]}, {"text": "It runs."}]
}
END_OF_SCRIPT
start_model script.json
make_project '[network]' 'mode = "host"'
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

export ANTHROPIC_BASE_URL=$model CLAUDE_CODE_MAX_RETRIES=1 API_TIMEOUT_MS=3000
# Neither installed, nor signed in: what is missing, and how to get it.
PATH=$SCAD_TEST_BIN:/usr/bin:/bin expect_exit 128 git scad inject alpha -m "[script:work]"
expect_match "^fatal: .*'claude'" "$err"
expect_match '^hint: .*npm install -g @anthropic-ai/claude-code' "$err"
unset ANTHROPIC_API_KEY
expect_exit 128 git scad inject alpha -m "[script:work]"
expect_match '^fatal: ' "$err"
expect_match '^hint: .*ANTHROPIC_API_KEY.*claude setup-token' "$err"
expect_same "" "$(git scad job list --porcelain alpha)"
export ANTHROPIC_API_KEY=key-of-the-test-0123456789
last() { git scad job list --porcelain alpha | tail -n 1 | cut -f4,5 | xargs; }
show() { git scad job show --json alpha | python3 -c 'import json, sys; d = json.load(sys.stdin); print(*[d[k] for k in sys.argv[1:]])' "$@"; }

# Success: text and tools as they come, and what it is known by.
expect_exit 0 git scad inject alpha -m "please [script:work]"
expect_match '^I write it\.$' "$out"
expect_match '^› Bash: echo by the agent' "$out"
expect_match '^All is done\.$' "$out"
expect_same "done 0" "$(last)"
expect_same "by the agent" "$(git scad session exec alpha -- git log -1 --format=%s)"
conversation=$(show conversation)
[[ $conversation =~ ^[0-9a-f-]{36}$ ]] || fail "conversation '$conversation'"
[[ $(show output_tokens) -ge 30 ]] || fail "usage $(show output_tokens)"
expect_match "'ANTHROPIC_API_KEY'" "$(show secrets)"
expect_match "I write it" "$(git scad job logs alpha)"
expect_match '"type":"result"' "$(git scad job logs --raw alpha)"
expect_match '"kind": ?"tool"|"type": ?"tool"|"event": ?"tool"' "$state/sessions/alpha/jobs/1/events.jsonl"
expect_match '"x-api-key": "key-of-the-test-0123456789"' "$model_log"
expect_same "" "$(grep -rlas key-of-the-test "$state" "$XDG_CACHE_HOME" || true)"

# Continued: the newest conversation, and that of a job.
expect_exit 0 git scad inject alpha --continue -m "go on [script:again]"
expect_same "I remember." "$(<"$out")"
expect_same "$conversation" "$(show conversation)"
expect_exit 0 git scad inject alpha -m "a new one [script:again]"
[[ $(show conversation) != "$conversation" ]] || fail "a new job went on with an old conversation"
expect_exit 0 git scad inject alpha --continue=1 -m "the first [script:again]"
expect_same "$conversation" "$(show conversation)"
expect_exit 129 git scad inject alpha --continue=x -m words
expect_exit 128 git scad inject alpha --continue=99 -m words
expect_exit 129 git scad inject alpha --continue -- true

# A tool that failed is no failure of the job, and is seen.
expect_exit 0 git scad inject alpha -m "[script:fails]"
expect_match 'Bash failed: ' "$out"

failed() { # <script> <what the reason says>
    expect_exit 1 timeout 60 git scad inject alpha -m "[script:$1]"
    expect_match "^error: alpha:[0-9]+ failed in .*($2)" "$err"
    expect_same "failed" "$(last | cut -d' ' -f1)"
    expect_match "$2" "$(git scad job show alpha)"
}
failed refused 'no such model here'
failed unknown '[Ii]nvalid (x-)?[Aa][Pp][Ii].key|401'
failed limited 'rate limit|429'
failed busy 'verloaded|529'
expect_match 'retry 1 of 1' "$out"
failed cut '.'
failed junk '.'
# A model that says nothing.
expect_exit 1 timeout 60 git scad inject alpha --idle 3s --timeout 50s -m "[script:silent]"
expect_match '^error: alpha:[0-9]+ timeout in .*idle limit of 3s' "$err"
expect_same timeout "$(last | cut -d' ' -f1)"
# A model that is not there.
ANTHROPIC_BASE_URL=http://127.0.0.1:1 expect_exit 1 timeout 90 git scad inject alpha -m words
expect_match '^error: alpha:[0-9]+ failed' "$err"

# What it left running has ended with its job.
expect_exit 0 git scad inject alpha -m "[script:daemon]"
for pattern in 'sleep 951' claude; do
    expect_same "" "$(git scad session exec alpha -- pgrep -af "[${pattern:0:1}]${pattern:1}" | grep -v pgrep || true)"
done

# What no model of ours says, an agent of ours does.
PATH=$real
fake_agent
says() { # <line of JSON>…
    { echo 'cat >/dev/null'; for line; do printf "echo '%s'\n" "$line"; done; } | agent_says alpha
}
init='{"type":"system","subtype":"init","session_id":"c-1","model":"m"}'
text='{"type":"assistant","message":{"content":[{"type":"text","text":"Words."}]}}'
result() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","usage":{"input_tokens":1,"output_tokens":%s},"permission_denials":%s}' "$1" "$2" "$3"; }
says "$init" "$text" "$(result Words. 5 '[{"tool_name":"Bash"}]')"
failed none 'denied tool: Bash'
says "$init" "$text" "$(result '' 5 '[]')"
failed none 'empty result'
says "$init" "$(result 'all done' 0 '[]')"
failed none 'did nothing'
says "$init" "$text"
failed none 'ended without a result'
says
failed none 'ended without a result'
says "no JSON" "$init" "$text" "$(result Words. 5 '[]')"
expect_exit 0 git scad inject alpha -m words
{ echo 'cat >/dev/null'; printf "echo '%s'\n" "$init" "$text" "$(result Words. 5 '[]')"; echo 'exit 7'; } | agent_says alpha
failed none 'exited with status 7 after its result'
{ echo 'echo "out of paper" >&2; exit 1'; } | agent_says alpha
failed none 'out of paper'
