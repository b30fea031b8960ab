#!/usr/bin/env bash
# What would be caught: an approval that nobody gave (by default, by an empty answer, of what changed since it was shown), old requests shown as new, approvals that cannot be seen or taken back.
. "$(dirname "$0")/../support/world.sh"

mkdir "$trash/data" "$trash/more"
make_project '[mounts."/data"]' "source = \"$trash/data\"" '[agent]' 'use = "command"'
file=$docs/.scad/atlas.toml
rm -r "$state/trust"

on_terminal() { # <answer> <word of git scad>…: what the terminal shows, in $out; its status in $status
    local answer=$1
    shift
    status=0
    script -qec "git scad $*" /dev/null <<<"$answer" >"$out" 2>&1 || status=$?
}

# Whatever is no clear yes is a no, and leaves all as it was.
for answer in '' n nein 'y es'; do
    on_terminal "$answer" build atlas
    expect_same 1 "$status"
    expect_match "^project 'atlas' asks for" "$out"
    expect_match "  \+ mount /data read-only from $trash/data" "$out"
    expect_match "  \+ repo code at $code" "$out"
    expect_match "error: 'atlas' was not approved" "$out"
done
on_terminal '' session start atlas alpha
expect_same 1 "$status"
on_terminal '' dispatch atlas --name alpha -- true
expect_same 1 "$status"
expect_same "" "$(git scad session list --porcelain; git scad config trust --list --json | grep project)"
# Yes, and it goes on.
on_terminal y dispatch atlas --name alpha --wait -- true
expect_same 0 "$status"
on_terminal '' build atlas
expect_same 0 "$status"
expect_no_match approve "$out"
# Later only what is new.
printf '%s\n' '[mounts."/more"]' "source = \"$trash/more\"" >>"$file"
on_terminal '' config trust atlas
expect_same 1 "$status"
expect_match "^project 'atlas' asks for more than was approved:" "$out"
expect_match "mount /more read-only" "$out"
expect_no_match "/data" "$out"
on_terminal y session start atlas beta
expect_same 0 "$status"

# What was approved, also where the project is no more.
expect_exit 0 git scad config trust --list
expect_match '^atlas +[^ ]+( ago)? .*3 +/' "$out"
expect_exit 0 git scad config trust --list atlas
expect_match "^    mount /more read-only from $trash/more" "$out"
expect_same 3 "$(grep -c '^    ' "$out")"
expect_exit 0 git scad config trust --list --json
expect_match '"project": "atlas"' "$out"
expect_exit 1 git scad config trust --list nothing
rm "$file"
expect_exit 0 git scad config trust --list atlas
expect_exit 0 git scad config trust --revoke atlas
expect_match 'sessions that were started keep what they have' "$err"
expect_exit 1 git scad config trust --revoke atlas
git -C "$docs" checkout -q "$file"
expect_exit 1 git scad session start atlas gamma
expect_exit 0 git scad session exec alpha -- true

# One name in two docs repos: the one that the user stands in.
make_repo "$trash/other"
cp -r "$docs/.scad" "$trash/other"
git -C "$docs" scad config trust -q --yes atlas >/dev/null
git -C "$trash/other" scad config trust -q --yes atlas >/dev/null
expect_exit 128 git scad config trust --revoke atlas
expect_match '^hint: git scad -C ' "$err"
expect_exit 0 git -C "$trash/other" scad config trust --revoke atlas
expect_exit 0 git scad config trust --list --json
expect_same 1 "$(grep -c '"docs_repo"' "$out")"
expect_match "\"docs_repo\": \"$docs\"" "$out"

expect_exit 129 git scad config trust --list --revoke atlas
expect_exit 129 git scad config trust --yes --list
