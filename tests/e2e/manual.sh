#!/usr/bin/env bash
# Would catch: a command without a manual page, an option that the page or the short help forgets, a page that the manual's start does not name.
. "$(dirname "$0")/../support/world.sh"

pages=$support/../../man
expect_exit 129 git scad -h
mapfile -t commands < <(sed -nE "s/^    ([a-z]+( [a-z]+)?)  .*/\1/p" "$out")
[[ ${#commands[@]} -gt 30 ]] || fail "only ${#commands[@]} commands in the help"

page_of() { # <command>: its name, as --help finds it
    case $1 in
        version) echo git-scad.1 ;;
        harvest | finish) echo git-scad-dispatch.1 ;;
        *) echo "git-scad-${1%% *}.1" ;;
    esac
}

long_options() { { grep -oE -e '--[a-z][a-z-]+' || true; } | sort -u; }

missing=
declare -A of_page=()
for command in "${commands[@]}"; do
    page=$(page_of "$command")
    [[ -f $pages/$page.scd ]] || fail "no page $page for 'git scad $command'"
    # shellcheck disable=SC2086 # one or two words
    expect_exit 129 git scad $command -h
    options=$(sed -nE 's/^    (-.*)/\1/p' "$out" | sed -E 's/  .*//' | long_options)
    of_page[$page]+=" $options"
    grep -qE "(^|[ *])(git scad )?\*?(git scad )?$command\b" "$pages/$page.scd" || missing+="  $page: $command"$'\n'
    # Output for scripts is described once, and dispatch has the options of inject.
    also=("$pages/git-scad.1.scd")
    [[ $command != dispatch ]] || also+=("$pages/git-scad-inject.1.scd")
    for option in $options; do
        grep -qE -e "\*$option\*|\*$option\[?=?" "$pages/$page.scd" "${also[@]}" || missing+="  $page: $option of 'git scad $command'"$'\n'
    done
done

# What a page describes is there: its option lists are lines that begin with one.
for page in "${!of_page[@]}"; do
    [[ $page != git-scad.1 ]] || continue
    while read -r option; do
        [[ " ${of_page[$page]//$'\n'/ } " == *" $option "* ]] || missing+="  $page: $option is in no help"$'\n'
    done < <(grep -E '^\*-' "$pages/$page.scd" | long_options)
done

# And every page is found from the first one, directly or by the page of its group.
for page in "$pages"/*.scd; do
    name=$(basename "$page" .scd)
    [[ $name == git-scad.1 ]] || grep -qF "*${name%.*}*(${name##*.})" "$pages/git-scad.1.scd" || missing+="  git-scad.1: $name is not named"$'\n'
    # With a heading that names it, so that man -k and apropos(1) do.
    expect_match "^${name%.*}.* - " "$page"
done
[[ -z $missing ]] || fail "the manual and the help differ:"$'\n'"$missing"

# --help opens it.
expect_exit 0 env MANPAGER=cat MANWIDTH=80 git scad inject --help
expect_match 'git-scad-inject' "$out"
