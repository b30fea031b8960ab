#!/usr/bin/env bash
# What would be caught: an agent that signs in with something else than what was to be taken, a refresh token that reaches a session, a command of a repo's own settings that is run on the host.
. "$(dirname "$0")/../support/world.sh"

need_agent claude
echo '{"default": [{"text": "ok"}]}' >script.json
start_model script.json
export ANTHROPIC_BASE_URL=$model CLAUDE_CODE_MAX_RETRIES=1
make_project '[network]' 'mode = "host"'
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

sign_in() { # <folder> <token> <hours from now>
    mkdir -p "$1"
    printf '{"claudeAiOauth": {"accessToken": "%s", "refreshToken": "sk-ant-ort01-refresh-%s", "expiresAt": %s000, "scopes": ["user:inference"], "subscriptionType": "max"}}' \
        "$2" "$2" "$(($(date +%s) + $3 * 3600))" >"$1/.credentials.json"
}
signed_in_by() { # <header of the request, "name": "value"> [<variable>=<value>…]
    local header=$1
    shift
    : >"$model_log"
    expect_exit 0 env "$@" git scad inject alpha -m "hello"
    expect_match "$header" "$model_log"
    expect_same 1 "$(grep -Eo '"(x-api-key|authorization)": "[^"]*"' "$model_log" | sort -u | wc -l)"
}

# The host's own sign-in, where nothing else is there; also where it was moved to.
expect_exit 128 git scad inject alpha -m hello
expect_match 'nobody is signed in on this machine' "$err"
expect_match '^hint: .*claude auth login' "$err"
sign_in "$HOME/.claude" sk-ant-oat01-of-this-machine 5
signed_in_by '"authorization": "Bearer sk-ant-oat01-of-this-machine"'
sign_in "$trash/moved" sk-ant-oat01-moved-elsewhere 5
signed_in_by '"authorization": "Bearer sk-ant-oat01-moved-elsewhere"' CLAUDE_CONFIG_DIR="$trash/moved"
expect_match 'CLAUDE_CODE_OAUTH_TOKEN' "$(git scad job show alpha)"
# Of the sign-in nothing is written, and the refresh token goes nowhere at all.
expect_same "" "$(grep -rlas -e refresh-sk -e sk-ant-oat01 "$state" "$XDG_CACHE_HOME" || :)"
git scad inject -q alpha -- sh -c 'env; cat ~/.claude/.credentials.json' >"$trash/inside" 2>&1 || :
expect_no_match 'refresh-sk|sk-ant' "$trash/inside"
# About to expire, and expired.
sign_in "$HOME/.claude" sk-ant-oat01-of-this-machine 0
sed -i "s/\"expiresAt\": [0-9]*/\"expiresAt\": $(($(date +%s) + 600))000/" "$HOME/.claude/.credentials.json"
signed_in_by '"authorization": "Bearer sk-ant-oat01-of-this-machine"'
expect_match '^warning: the sign-in of Claude Code on this machine expires in [0-9]+m' "$err"
sign_in "$HOME/.claude" sk-ant-oat01-of-this-machine -2
expect_exit 128 git scad inject alpha -m hello
expect_match '^fatal: the sign-in of Claude Code on this machine expired 2 hours ago' "$err"
expect_match '^hint: claude -p hello' "$err"

# A command of the user's: run once, whatever the number of sessions, and never one of a repo's own.
git config --file "$docs/.git/config" scad.claude.tokenCommand "touch '$trash/planted'; echo sk-ant-oat01-planted"
(cd "$docs" && expect_exit 128 git scad inject alpha -m hello)
[[ ! -e $trash/planted ]] || fail "the command of a repo was run"
git config --global scad.claude.tokenCommand "echo x >>'$trash/asked'; echo sk-ant-oat01-of-the-vault"
signed_in_by '"authorization": "Bearer sk-ant-oat01-of-the-vault"'
git scad session start -q atlas beta >/dev/null
rm "$trash/asked"
expect_exit 0 git scad inject alpha,beta -m hello
expect_same x "$(<"$trash/asked")"
(cd "$docs" && signed_in_by '"authorization": "Bearer sk-ant-oat01-of-the-vault"')
[[ ! -e $trash/planted ]] || fail "the command of a repo was run"
git config --global scad.claude.tokenCommand 'echo sk-ant-api03-of-the-vault'
signed_in_by '"x-api-key": "sk-ant-api03-of-the-vault"'
git config --global scad.claude.tokenCommand 'echo "the vault is locked" >&2; exit 4'
expect_exit 128 git scad inject alpha -m hello
expect_match "^fatal: the command of 'scad.claude.tokenCommand' exited with status 4:" "$err"
expect_match '^the vault is locked' "$err"

# The caller's own goes first, and exactly one kind of it.
signed_in_by '"x-api-key": "key-of-the-caller"' ANTHROPIC_API_KEY=key-of-the-caller
signed_in_by '"authorization": "Bearer token-of-the-caller"' ANTHROPIC_AUTH_TOKEN=token-of-the-caller
signed_in_by '"authorization": "Bearer sk-ant-oat01-of-the-caller"' \
    ANTHROPIC_API_KEY=key-of-the-caller CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-of-the-caller ANTHROPIC_AUTH_TOKEN=token

# One kind by the project.
git config --global --unset scad.claude.tokenCommand
sign_in "$HOME/.claude" sk-ant-oat01-of-this-machine 5
make_login() { # <kind>
    git scad session rm --purge alpha >/dev/null 2>&1
    git scad code prune alpha >/dev/null 2>&1 || :
    printf '%s\n' '[agent]' "login = \"$1\"" >"$docs/.scad/atlas.local.toml"
    git scad session start -q atlas alpha >/dev/null
}
make_login host
signed_in_by '"authorization": "Bearer sk-ant-oat01-of-this-machine"' ANTHROPIC_API_KEY=key-of-the-caller
make_login environment
expect_exit 128 git scad inject alpha -m hello
expect_exit 128 git scad dispatch atlas --name gamma -m hello
expect_match "^atlas|^alpha|^beta" "$(git scad session list --porcelain)"
make_login none
ANTHROPIC_API_KEY=key-of-the-caller git scad inject -q alpha -- sh -c env >"$trash/inside" || :
expect_no_match key-of-the-caller "$trash/inside"
ANTHROPIC_API_KEY=key-of-the-caller git scad inject alpha -m hello >/dev/null 2>&1 || : # it has none, which is its own affair
expect_no_match ANTHROPIC_API_KEY "$(git scad job show alpha)"
