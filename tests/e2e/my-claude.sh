#!/usr/bin/env bash
# What would be caught: an agent in a session that knows nothing of its user's memory, skills, commands, plugins and MCP servers; a credential, history or hook of the user's that goes along; a file that is copied from elsewhere by a link.
# shellcheck disable=SC2016 # scripts and place-holders for others
. "$(dirname "$0")/../support/world.sh"

need_agent claude
echo '{"default": [{"text": "ok"}]}' >script.json
start_model script.json --whole
export ANTHROPIC_BASE_URL=$model CLAUDE_CODE_MAX_RETRIES=1 ANTHROPIC_API_KEY=key-of-the-caller

# The user's own.
mkdir -p "$HOME/.claude"/{skills/giraffe,commands,agents,rules,projects/p,plugins/cache/local/zebra/1.0.0/{.claude-plugin,skills/stripes}}
cd "$HOME/.claude"
echo 'USERMEMORY @extra.md' >CLAUDE.md
echo EXTRAMEMORY >extra.md
printf -- '---\nname: giraffe\ndescription: USERSKILL\n---\nNeck.\n' >skills/giraffe/SKILL.md
printf -- '---\ndescription: USERCOMMAND\n---\nHop.\n' >commands/hop.md
printf -- '---\nname: owl\ndescription: USERAGENT\n---\nHoot.\n' >agents/owl.md
echo USERRULE >rules/tidy.md
echo '{"name": "zebra", "version": "1.0.0"}' >plugins/cache/local/zebra/1.0.0/.claude-plugin/plugin.json
printf -- '---\nname: stripes\ndescription: PLUGINSKILL\n---\nCount.\n' >plugins/cache/local/zebra/1.0.0/skills/stripes/SKILL.md
cat >plugins/installed_plugins.json <<JSON
{"version": 2, "plugins": {"zebra@local": [{"scope": "user", "installPath": "$PWD/plugins/cache/local/zebra/1.0.0", "version": "1.0.0", "installedAt": "2026-01-01T00:00:00.000Z", "lastUpdated": "2026-01-01T00:00:00.000Z"}]}}
JSON
cat >plugins/known_marketplaces.json <<JSON
{"local": {"source": {"source": "github", "repo": "me/local"}, "installLocation": "$PWD/plugins/marketplaces/local", "lastUpdated": "2026-01-01T00:00:00.000Z"}}
JSON
mkdir -p plugins/marketplaces/local/.claude-plugin
cp -r plugins/cache/local/zebra/1.0.0 plugins/marketplaces/local/zebra
echo '{"name": "local", "owner": {"name": "me"}, "plugins": [{"name": "zebra", "source": "./zebra", "description": "a plugin"}]}' \
    >plugins/marketplaces/local/.claude-plugin/marketplace.json
cat >settings.json <<JSON
{"enabledPlugins": {"zebra@local": true}, "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "touch /tmp/hooked"}]}]}, "apiKeyHelper": "touch /tmp/helped"}
JSON
echo '{"claudeAiOauth": {"accessToken": "sk-ant-oat01-mine", "refreshToken": "sk-ant-ort01-mine", "expiresAt": 1}}' >.credentials.json
echo PASTHISTORY | tee history.jsonl >projects/p/1.jsonl
echo SECRETKEY >"$HOME/key"
ln -s "$HOME/key" skills/giraffe/key
ln -s SKILL.md skills/giraffe/alias.md
cat >"$HOME/.claude.json" <<'JSON'
{"oauthAccount": {"id": "ACCOUNT"}, "mcpServers": {
 "zoo": {"type": "stdio", "command": "python3", "args": ["/work/code/mcp.py", "argument-1"], "env": {"TOKEN": "mcp-secret-0123456789"}},
 "other": {"type": "stdio", "command": "false"}}}
JSON
cd "$trash"

make_project '[network]' 'mode = "host"' '[agent]' 'mcp = ["zoo"]'
expect_exit 0 git scad config trust --list atlas
expect_match 'memory, skills and commands of yours for agent claude' "$out"
expect_match 'MCP server zoo of yours, with its secrets, for agent claude' "$out"
cat >"$code/mcp.py" <<'PYTHON'
import json, os, sys
open("/tmp/mcp", "w").write(f"{sys.argv[1]} {os.environ['TOKEN']}\n")
for line in sys.stdin:
    message = json.loads(line)
    result = {}
    if message.get("method") == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "zoo", "version": "1"}}
    elif message.get("method") == "tools/list":
        result = {"tools": [{"name": "MCPTOOL", "description": "a tool", "inputSchema": {"type": "object"}}]}
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
PYTHON
echo CODEMEMORY >"$code/CLAUDE.md"
echo DOCSMEMORY >"$docs/CLAUDE.md"
for repo in "$code" "$docs"; do
    git -C "$repo" add -A
    git -C "$repo" commit -q -m "for the agent"
done
git scad build -q atlas
expect_exit 0 git scad session start atlas alpha
expect_match '^  of yours: ~/.claude/CLAUDE.md, .*~/.claude/plugins, .*~/.claude/skills' "$err"

# What the model is told, in one request: all of the user's, and of both repos.
expect_exit 0 git scad inject alpha -m hello
for word in USERMEMORY EXTRAMEMORY USERSKILL USERCOMMAND USERAGENT USERRULE PLUGINSKILL mcp__zoo__MCPTOOL CODEMEMORY DOCSMEMORY /work/README.md; do
    expect_match "$word" "$model_log"
done
expect_no_match 'PASTHISTORY|SECRETKEY|ACCOUNT' "$model_log"
# Where it starts, and what it may read beside that.
expect_match '"cwd":"/work/code"' "$(git scad job logs --raw alpha)"
expect_same "argument-1 mcp-secret-0123456789" "$(<"$state/sessions/alpha/tmp/mcp")"
rm "$state/sessions/alpha/tmp/mcp"

# Of what is secret nothing is in the session, nor anywhere else that scad writes.
expect_same "" "$(grep -rlas --exclude-dir=agents -e 01-mine -e PASTHISTORY -e SECRETKEY -e ACCOUNT -e mcp-secret -e key-of-the-caller "$state" "$XDG_CACHE_HOME" || :)"
git scad session exec alpha -- sh -c 'ls -a ~/.claude ~/.claude/skills/giraffe; cat ~/.claude/settings.json ~/.claude.json' >inside
expect_no_match 'hooks|apiKeyHelper|credentials|"other"' inside
expect_match '^alias.md' inside
expect_no_match '^key' inside
[[ ! -e $state/sessions/alpha/tmp/hooked && ! -e $state/sessions/alpha/tmp/helped ]] || fail "a command of the user's settings was run"
expect_exit 0 git scad session show alpha
expect_match '^  ~/.claude/skills +[0-9]+ files, .*1 left out' "$out"
expect_match '^  MCP servers zoo' "$out"
expect_match '"target": ".claude/skills"' "$(git scad session show --json alpha)"

# Its own from here on: what the session makes of it stays there.
git scad session exec alpha -- sh -c 'echo CHANGED >~/.claude/CLAUDE.md'
expect_match USERMEMORY "$HOME/.claude/CLAUDE.md"
# Chosen files go instead; nothing chosen is nothing.
choose() { # <list of TOML> <session>
    printf '%s\n' '[agent]' "files = $1" >"$docs/.scad/atlas.local.toml"
    git scad config trust -q --yes atlas >/dev/null
    git scad session start atlas "$2"
}
printf '%s\n' '[agent]' 'files = ["~/key"]' >"$docs/.scad/atlas.local.toml"
expect_exit 1 git scad session start atlas beta
expect_match "^    agent file $HOME/key" "$err"
expect_exit 0 choose '["~/.claude/skills"]' beta
expect_same skills "$(git scad session exec beta -- sh -c 'cd ~/.claude && ls -d CLAUDE.md skills plugins 2>/dev/null')"
expect_exit 0 choose '[]' gamma
expect_same "" "$(git scad session exec gamma -- sh -c 'cd ~/.claude && ls -d CLAUDE.md skills plugins 2>/dev/null')"
expect_exit 128 choose '["~/.claude/.credentials.json"]' delta
expect_match 'never goes into a session' "$err"
rm "$docs/.scad/atlas.local.toml"
# A link in place of a default one is not followed, and that is said.
mv "$HOME/.claude/CLAUDE.md" "$HOME/elsewhere.md"
ln -s "$HOME/elsewhere.md" "$HOME/.claude/CLAUDE.md"
git scad config trust -q --yes atlas >/dev/null
expect_exit 0 git scad session start atlas delta
expect_match "^warning: '$HOME/.claude/CLAUDE.md' is not in the session: it is a link to '$HOME/elsewhere.md'" "$err"
expect_exit 1 git scad session exec delta -- test -e /home/agent/.claude/CLAUDE.md
# Too large: said, and the session starts without it.
head -c 70000000 /dev/zero >"$HOME/.claude/skills/large"
expect_exit 0 git scad session start atlas epsilon
expect_match "^warning: '$HOME/.claude/skills' is not in the session: it has more than 64" "$err"
# A server that is not there.
printf '%s\n' '[agent]' 'mcp = ["zo"]' >"$docs/.scad/atlas.local.toml"
git scad config trust -q --yes atlas >/dev/null
expect_exit 128 git scad session start atlas zeta
expect_match "^fatal: you have no MCP server 'zo' in '$HOME/.claude.json'" "$err"
expect_match "^hint: did you mean 'zoo'" "$err"
