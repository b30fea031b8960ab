#!/usr/bin/env bash
# Would catch: a mistake in a project file that is not told with its place, told one at a time, or passed over; a project that takes effect though nobody approved it.
. "$(dirname "$0")/../support/world.sh"

make_project
file=$docs/.scad/atlas.toml
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null

# All errors of a file at once, each with file, line, column, the line itself and a caret below the place.
cat >"$file" <<'TOML'
[repos.code]
path = "../code"
bsae = "main"
[repos.docs]
path = "../nowhere"
[mounts."/data"]
source = "/no/such/place"
mode = "rx"
[limits]
pids = "many"
memory = "16 elephants"
[netwrk]
mode = "none"
TOML
for command in "config check atlas" "config show atlas" "session start atlas beta" "build atlas" "dispatch atlas words"; do
    # shellcheck disable=SC2086 # words
    expect_exit 128 git scad $command
    expect_match "^fatal: the project 'atlas' has errors$" "$err"
    for place in 3:1 5:8 7:10 8:8 10:8 11:10 12:2; do
        grep -q "^$file:$place: " "$err" || { cat "$err" >&2; fail "'$command' does not tell of $place"; }
    done
done
expect_match "did you mean 'base'" "$err"
expect_match "did you mean 'network'" "$err"
expect_match '^ {7}\^$' "$err"
python3 - "$err" <<'PYTHON'
import re, sys
lines = open(sys.argv[1]).read().split("\n")
seen = 0
for number, line in enumerate(lines):
    place = re.match(r".*\.toml:(\d+):(\d+): ", line)
    if place:
        seen += 1
        caret = lines[number + 2]
        assert caret.strip() == "^" and len(caret.rstrip()) == int(place[2]), (line, caret)
assert seen == 7, seen
PYTHON
printf '[repos.code\npath = 1\n' >"$file"
expect_exit 128 git scad config check atlas
expect_match "^$file:1:" "$err"
: >"$file"
expect_exit 128 git scad config check atlas
expect_match 'no repo' "$err"
# A session of it goes on: it stands on what was read when it started.
expect_exit 0 git scad session exec alpha -- true
expect_exit 0 git scad inject alpha -- true
expect_exit 0 git scad status
rm "$file"
expect_exit 128 git scad session start atlas beta
expect_match "'atlas'" "$err"
expect_exit 0 git scad session exec alpha -- true

# What this build lacks is said, never passed over.
lacking() { # <what is said> <line>…
    local words=$1
    shift
    printf '%s\n' '[repos.code]' 'path = "../code"' "$@" >"$file"
    git scad config trust -q --yes atlas >/dev/null 2>&1 || true
    for command in "build atlas" "session start atlas beta"; do
        # shellcheck disable=SC2086 # words
        expect_exit 128 git scad $command
        expect_match 'not in this build|this build' "$err"
        expect_match "$words" "$err"
    done
}
lacking 'base|debian' '[environment]' 'base = "debian:bookworm"'
lacking 'codex' '[agent]' 'use = "codex"'

printf '%s\n' '[repos.code]' 'path = "../code"' '[[trigger]]' 'on = "post-commit"' 'repo = "code"' 'prompt = "x"' >"$file"
git scad config trust -q --yes atlas >/dev/null
expect_exit 0 git scad build atlas
expect_match "^warning: $file:3: triggers start nothing in this build" "$err"

# Untrusted: exit 1, what is new, and the command that approves. Approved once, the same or less is not asked again.
mkdir data more
printf '%s\n' '[repos.code]' 'path = "../code"' '[mounts."/data"]' "source = \"$trash/data\"" >"$file"
for command in "build atlas" "session start atlas beta" "dispatch atlas --wait -- true"; do
    # shellcheck disable=SC2086 # words
    expect_exit 1 git scad $command
    expect_match "$trash/data" "$err"
    expect_match '^hint: git scad config trust atlas' "$err"
done
expect_match '^alpha' "$(git scad session list --porcelain)"
expect_same 1 "$(git scad session list --porcelain | wc -l)"
expect_exit 1 git scad config trust atlas </dev/null # nobody to answer
expect_exit 1 git scad build atlas
expect_exit 0 git scad config trust --yes atlas
expect_exit 0 git scad build atlas
printf '%s\n' '[repos.code]' 'path = "../code"' >"$file"
expect_exit 0 git scad build atlas
printf '%s\n' '[repos.code]' 'path = "../code"' '[mounts."/data"]' "source = \"$trash/data\"" '[mounts."/more"]' "source = \"$trash/more\"" >"$file"
expect_exit 1 git scad build atlas
expect_match "$trash/more" "$err"
expect_no_match "$trash/data" "$err"
# A link that leads elsewhere now is another request.
printf '%s\n' '[repos.code]' 'path = "../code"' '[mounts."/link"]' "source = \"$trash/link\"" >"$file"
ln -s data link
git scad config trust -q --yes atlas >/dev/null
expect_exit 0 git scad build atlas
ln -sfn more link
expect_exit 1 git scad build atlas
expect_exit 0 git scad config check atlas

# Names of projects.
for name in Atlas a..b head 'a b' ../x; do
    expect_exit 128 git -C "$docs" scad init "$name"
    expect_match "^fatal: " "$err"
done
expect_exit 128 git scad session start atals
expect_match "^hint: .*atlas" "$err"
