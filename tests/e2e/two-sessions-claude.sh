#!/usr/bin/env bash
# Would catch: two sessions of one project that disturb each other or the host, an agent that cannot reach its model through the allow list, work that does not come back by plain git.
. "$(dirname "$0")/../support/world.sh"

need_agent claude
bash "$support/make_ca.sh" "$trash/ca" 127.0.0.2
mkdir -p data
echo "sample 1" >data/samples.txt
cat >script.json <<'END'
{
  "first": [
    {"text": "I look at the data.", "tools": [{"name": "Bash", "input": {"command": "cat /data/samples.txt > /work/code/result.txt && cd /work/code && git add -A && git commit -qm 'result of the first'"}}]},
    {"text": "Notes too.", "tools": [{"name": "Write", "input": {"file_path": "/work/docs/notes.md", "content": "notes of the first\n"}}]},
    {"tools": [{"name": "Bash", "input": {"command": "cd /work/docs && git add -A && git commit -qm 'notes of the first'; echo unfinished > /work/code/draft.txt"}}]},
    {"text": "The first is done."}
  ],
  "second": [
    {"text": "I work beside the other.", "tools": [{"name": "Bash", "input": {"command": "test ! -e /work/code/result.txt && echo second > /work/code/second.txt && cd /work/code && git add -A && git commit -qm 'by the second'"}}]},
    {"text": "The second is done."}
  ]
}
END
start_model script.json --bind 127.0.0.2 --cert ca/server.pem --key ca/server.key
cp -r ca/ca.pem data/
make_project '[mounts."/data"]' "source = \"$trash/data\"" \
    '[environment]' 'env = { NODE_EXTRA_CA_CERTS = "/data/ca.pem", SSL_CERT_FILE = "/data/ca.pem" }' \
    '[network]' 'mode = "allow"' "allow = [\"${model#https://}\"]"
git scad build atlas
mkdir -p "$code/.git/hooks"
printf '#!/bin/sh\ntouch %s/hook-ran\n' "$trash" >"$code/.git/hooks/post-checkout"
chmod +x "$code/.git/hooks/post-checkout"
code_before=$(host_state "$code")
docs_before=$(host_state "$docs")

export ANTHROPIC_API_KEY=key-of-the-test ANTHROPIC_BASE_URL=$model
expect_exit 0 git scad session start atlas a
expect_same a "$(<"$out")"
expect_exit 0 git scad session start atlas b
git scad inject -d a "do it [script:first]"
git scad inject -d b "do it [script:second]"
expect_exit 0 git scad job wait a b

expect_exit 0 git -C "$code" fetch scad/a
expect_exit 0 git -C "$code" fetch scad/b
expect_exit 0 git -C "$docs" fetch scad/a
expect_same "result of the first" "$(git -C "$code" log -1 --format=%s scad/a)"
expect_same "by the second" "$(git -C "$code" log -1 --format=%s scad/b)"
expect_same "notes of the first" "$(git -C "$docs" show scad/a:notes.md)"
expect_same "sample 1" "$(git -C "$code" show scad/a:result.txt)"
# What the agent did not commit comes as well.
expect_same unfinished "$(git -C "$code" show refs/scad-session/a/wip:draft.txt)"
expect_same "$code_before" "$(host_state "$code")"
expect_same "$docs_before" "$(host_state "$docs")"
[[ ! -e $trash/hook-ran ]] || fail "a hook of the host ran"

# The key went to the model, by the agent, and into no file of scad's.
expect_match key-of-the-test "$model_log"
expect_same "" "$(grep -rla key-of-the-test "$state" || true)"
