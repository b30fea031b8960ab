#!/usr/bin/env bash
# What would be caught: ways in which a session's commit, once merged, or a place that a session can write, gets the next
# session more than was approved.
. "$(dirname "$0")/../support/world.sh"
. "$support/fake_agent.sh"

fake_agent
make_project
git scad build -q atlas

# A prompt that became a link to a file of the user's: its content would go to the agent.
printf 'PRIVATE KEY\n' >"$HOME/key"
mkdir -p "$docs/.scad/prompts" "$trash/elsewhere"
printf 'an honest prompt\n' >"$docs/.scad/prompts/honest.md"
ln -s "$HOME/key" "$docs/.scad/prompts/linked.md"
ln -s ../../../home/key "$docs/.scad/prompts/relative.md"
git scad session start -q atlas --name thief >/dev/null
agent_says thief <<'AGENT'
cat >/tmp/prompt
AGENT
for name in linked relative; do
    expect_exit 128 git scad inject thief -p "$name"
    expect_match 'not a link' "$err"
done
# The same by the whole folder.
mv "$docs/.scad/prompts" "$trash/prompts"
cp "$HOME/key" "$trash/elsewhere/key.md"
ln -s "$trash/elsewhere" "$docs/.scad/prompts"
expect_exit 128 git scad inject thief -p key
rm "$docs/.scad/prompts"
mv "$trash/prompts" "$docs/.scad/prompts"
! grep -rqs 'PRIVATE KEY' "$state/sessions" || fail "a file of the user's went to a session"
git scad inject -q thief -p honest || true # what the agent answers does not matter here
expect_same "an honest prompt" "$(git scad session exec thief -- cat /tmp/prompt)"

# A place that holds a git repo, however deep, is not for a session to write: the host runs git there.
for place in a/b/repo a/b/c/linked; do
    rm -rf "$trash/data"
    mkdir -p "$trash/data/a/b"
    case $place in
        *linked) git -C "$code" worktree add -q --detach "$trash/data/$place" ;;
        *) git init -q "$trash/data/$place" ;;
    esac
    printf '%s\n' '[repos.code]' 'path = "../code"' '[repos.docs]' 'path = "."' '[mounts."/data"]' \
        "source = \"$trash/data\"" 'mode = "rw"' >"$docs/.scad/deep.toml"
    expect_exit 128 git scad config check deep
    expect_match 'holds the git repo' "$err"
done

# The project's own repos are found at any depth.
deep=$trash/data2/a/b/c/d/e/f/code
mkdir -p "$(dirname "$deep")"
mv "$code" "$deep"
printf '%s\n' '[repos.code]' "path = \"$deep\"" '[repos.docs]' 'path = "."' '[mounts."/data"]' \
    "source = \"$trash/data2\"" 'mode = "rw"' >"$docs/.scad/deep.toml"
expect_exit 128 git scad config check deep
expect_match "must stay out of a session's reach" "$err"
mv "$deep" "$code"
