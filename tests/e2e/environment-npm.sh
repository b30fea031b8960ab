#!/usr/bin/env bash
# Would catch: `npm ci` in a step of the setup that does not work without the network or leaves its packages outside of a
# session, packages that git takes for the session's work, and a step that is done again although its lock file is as it was.
. "$(dirname "$0")/../support/world.sh"
. "$support/environment.sh"
command -v npm >/dev/null || skip "no npm"

make_project '[environment]' 'network = "none"' '[environment.python]' 'version = "3"' '[[environment.setup]]' \
    'run = "npm ci --prefix code/web"' 'inputs = ["code/web/package.json", "code/web/package-lock.json", "code/web/lib"]'
mkdir -p "$code/web/lib"
echo '{ "name": "lib", "version": "1.0.0", "main": "index.js" }' >"$code/web/lib/package.json"
echo 'module.exports = "one";' >"$code/web/lib/index.js"
echo '{ "name": "web", "version": "1.0.0", "dependencies": { "lib": "file:lib" } }' >"$code/web/package.json"
(cd "$code/web" && npm install --package-lock-only --offline --no-audit --no-fund >"$trash/npm.log" 2>&1) || fail "npm: $(<"$trash/npm.log")"
commit_file "$code" .gitignore node_modules/

expect_exit 0 git scad build atlas
expect_match '^\[2/2\] setup: npm ci --prefix code/web  [0-9.]+ s$' "$err"
expect_exit 0 git scad session start -q atlas alpha
expect_exit 0 git scad session exec -w /work/code/web alpha -- node -e 'console.log(require("lib"), process.cwd())'
expect_match '^one /work/code/web$' "$out"
expect_same "" "$(in_session alpha git -C /work/code status --porcelain)"
commit_file "$code" web/app.js 'require("lib")'
expect_exit 0 git scad build atlas
expect_no_match '^\[' "$err"
commit_file "$code" web/lib/index.js 'module.exports = "two";'
expect_exit 0 git scad build atlas
expect_match '^\[1/2\] python: .* kept$' "$err"
expect_match '^\[2/2\] setup: npm ci .* s$' "$err"
