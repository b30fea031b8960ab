#include "workspace/snapshot_script.h"

namespace scad::workspace {

// Runs as the agent's user on repos that the agent controls. Nothing in them is trusted further than that: a
// repo that lies loses its own work only. What matters is that honest work is saved whole, that the agent's
// index and working tree stay as they are, and that it ends.
std::string_view snapshot_script() {
    return R"sh(
umask 077
dir=$(mktemp -d /tmp/scad-snapshot.XXXXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
# What a killed one has left behind.
for old in /tmp/scad-snapshot.*; do
    [ "$old" = "$dir" ] || { find /tmp -maxdepth 1 -name 'scad-snapshot.*' -type d -mmin +60 -exec rm -rf {} + 2>/dev/null; break; }
done

tell() { printf '%s\t%s\t%s\n' "$repo" "$1" "$2"; }

# limited <seconds> <command>...
limited() { timeout -k 5 "$@"; }

# g <seconds> <git arguments>...: no hook, no fsmonitor, no signature, no lazy fetch, no refusal over line ends; paths in quotes where they need it.
g() {
    seconds=$1
    shift
    limited "$seconds" git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.untrackedCache=false \
        -c core.splitIndex=false -c commit.gpgSign=false -c core.safecrlf=false -c core.quotePath=true -c core.bare=false \
        -c i18n.commitEncoding=UTF-8 -c advice.addEmbeddedRepo=false -c protocol.allow=never -c gc.auto=0 \
        -c log.showSignature=false -c submodule.recurse=false "$@"
}

# failed <what> <status> <file with its stderr>
failed() {
    case $2 in
        124 | 137) tell problem "$1 did not end in time" ;;
        *) tell problem "$1 failed: $(head -n 1 "$3" | cut -c 1-300)" ;;
    esac
}

# names <kind> <file with one name a line>
names() { head -n 20 "$2" | while IFS= read -r name; do tell unsaved "$1 $name"; done; }

# count_names <key> <kind> <file>
count_names() {
    [ -s "$3" ] || return 0
    tell "$1" "$(grep -c '' "$3")"
    names "$2" "$3"
}

snapshot() {
    d=$dir/$number
    mkdir "$d" || return
    export GIT_DIR="/work/$repo/.git" GIT_WORK_TREE="/work/$repo"
    cd "$GIT_WORK_TREE" || { tell problem "there is no /work/$repo"; return; }

    # In place of one of git's files: git would wait for ever.
    fifo=$(cd "$GIT_DIR" && find -H HEAD config config.worktree commondir index packed-refs shallow info refs \
        objects/info objects/pack -type p -print -quit 2>/dev/null)
    [ -z "$fifo" ] || { tell problem ".git/$fifo is a FIFO"; return; }

    # Beside the long pass. `hidden`: files whose changes git was told not to look for; they are saved all the same.
    g 60 for-each-ref --format='%(refname) %(objectname)' refs/scad refs/tags >"$d/refs" 2>/dev/null </dev/null &
    g 120 ls-files -v 2>/dev/null </dev/null | grep '^[a-zS] ' >"$d/hidden" &

    # The one pass over all files. Everything else is done only where this one has seen something.
    broken=
    g 120 status --porcelain=v2 --branch --show-stash -uall --ignored=matching --ignore-submodules=none \
        --no-ahead-behind --no-renames >"$d/status" 2>"$d/first" </dev/null
    status=$?
    wait
    case $status in
        0) ;;
        124 | 137) failed 'git status' $status "$d/first"; return ;;
        *) broken=1 ;;
    esac
    head='' branch='' stash=0 more=''
    while IFS= read -r line; do
        case $line in
            '# branch.oid (initial)') ;;
            '# branch.oid '*) head=${line#'# branch.oid '} ;;
            '# branch.head (detached)') ;;
            '# branch.head '*) branch=${line#'# branch.head '} ;;
            '# stash '*) stash=${line#'# stash '} ;;
            '#'*) ;;
            *) more=1; break ;;
        esac
    done <"$d/status"
    if [ -n "$broken" ]; then # what can be had without it
        head=$(g 30 rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null </dev/null)
        branch=$(g 30 symbolic-ref -q --short HEAD 2>/dev/null </dev/null)
    fi
    changed=0 untracked=0 ignored=0
    if [ -n "$more" ]; then
        changed=$(grep -c '^[12u] ' "$d/status")
        untracked=$(grep -c '^? ' "$d/status")
        sed -n 's/^! //p' "$d/status" >"$d/ignored"
        if [ -f /run/scad/made ]; then # what the environment brought is no work of the session
            sed -n "s,^$repo/,,p" /run/scad/made >"$d/made"
            grep -vxF -f "$d/made" "$d/ignored" >"$d/own"
            mv "$d/own" "$d/ignored"
        fi
        ignored=$(grep -c '' "$d/ignored")
    fi
    tell branch "$branch"
    tell head "$head"
    tell changed "$changed"
    tell untracked "$untracked"
    if [ -n "$head" ] && [ "$head" != "$base" ]; then
        tell ahead "$(g 120 rev-list --count "$base..$head" -- 2>/dev/null </dev/null)"
    fi

    wip=$(sed -n 's,^refs/scad/wip ,,p' "$d/refs")
    tree=
    if [ "$changed" != 0 ] || [ "$untracked" != 0 ] || [ "$stash" != 0 ] || [ -n "$broken" ] || [ -s "$d/hidden" ] ||
        { [ -n "$head" ] && [ -z "$branch" ]; }; then
        save || return
    elif [ -n "$wip" ]; then
        put_away || return
        wip=
    fi
    tell wip "$wip"
    report
    tell end 1
}

# The number of the next refs/scad/wips/<n>.
next_number() {
    newest=$(sed -n 's:^refs/scad/wips/\([1-9][0-9]\{0,8\}\) .*:\1:p' "$d/refs" | sort -n | tail -n 1)
    echo $((${newest:-0} + 1))
}

# Locks that a killed snapshot has left: nobody else changes these refs, nor two at a time. That of packed-refs is the agent's too.
drop_locks() {
    [ -e "$GIT_DIR/scad/at-refs" ] || return 0
    rm -f "$GIT_DIR"/refs/scad/wip.lock "$GIT_DIR"/refs/scad/wips/*.lock "$GIT_DIR/packed-refs.lock" 2>/dev/null
}

# The wip of before becomes refs/scad/wips/<n>; refs/scad/wip becomes $1, or goes.
set_wip() {
    drop_locks
    : >"$GIT_DIR/scad/at-refs" 2>/dev/null
    {
        echo start
        [ -z "$wip" ] || printf 'option no-deref\ncreate refs/scad/wips/%s %s\n' "$(next_number)" "$wip"
        echo 'option no-deref'
        if [ -n "$1" ]; then echo "update refs/scad/wip $1"; else echo 'delete refs/scad/wip'; fi
        printf 'prepare\ncommit\n'
    } | g 60 update-ref --stdin >/dev/null 2>"$d/errors"
    status=$?
    rm -f "$GIT_DIR/scad/at-refs" 2>/dev/null
    [ $status = 0 ] || { failed 'git update-ref' $status "$d/errors"; return 1; }
}

put_away() { set_wip ''; }

save() {
    GIT_INDEX_FILE=$d/index
    export GIT_INDEX_FILE
    head_tree='' head_date=0
    if [ -n "$head" ]; then
        line=$(g 60 rev-list --max-count=1 --no-commit-header --format='%T %ct' "$head" -- 2>/dev/null </dev/null)
        head_tree=${line%% *} head_date=${line##* }
        [ -n "$head_tree" ] || head=
    fi
    [ -n "$head" ] || head_tree=$(g 60 hash-object -t tree --stdin </dev/null) # the empty one
    # With its time of modification: git trusts entries that are older than the index file.
    if [ -f "$GIT_DIR/index" ]; then
        limited 60 cp -p "$GIT_DIR/index" "$GIT_INDEX_FILE" 2>"$d/errors" || { failed 'copying the index' $? "$d/errors"; return 1; }
    elif [ -n "$head" ]; then
        g 120 read-tree "$head" 2>"$d/errors" </dev/null || { failed 'git read-tree' $? "$d/errors"; return 1; }
    fi

    # What is staged, where that is neither in HEAD nor surely in the working tree. An index with conflicts has no tree.
    staged=
    if [ -n "$broken" ] || grep -q '^[12] [^.]' "$d/status"; then
        staged=$(g 120 write-tree 2>/dev/null </dev/null)
        [ "$staged" != "$head_tree" ] || staged=
    fi

    if [ -s "$d/hidden" ]; then
        sed -n 's/^[a-z] //p' "$d/hidden" | g 60 update-index --no-assume-unchanged --stdin 2>/dev/null
        # Absent files that git skips are not deleted ones.
        sed -n 's/^[Ss] //p' "$d/hidden" | while IFS= read -r name; do
            case $name in
                '"'*) ;;
                *) if [ -e "$name" ] || [ -L "$name" ]; then printf '%s\n' "$name"; fi ;;
            esac
        done | g 60 update-index --no-skip-worktree --stdin 2>/dev/null
    fi
    g 900 add -A --sparse --ignore-errors -- . >/dev/null 2>"$d/add" </dev/null
    added=$?
    case $added in
        124 | 137) failed 'git add' $added "$d/add"; return 1 ;;
    esac
    tree=$(g 120 write-tree 2>"$d/errors" </dev/null)
    status=$?
    [ $status = 0 ] || { failed 'git write-tree' $status "$d/errors"; return 1; }

    parents=$head
    if [ -n "$staged" ] && [ "$staged" != "$tree" ]; then
        # Dated as its parent, so that the same staged versions are the same commit the next time.
        commit=$(GIT_AUTHOR_DATE="@$head_date +0000" GIT_COMMITTER_DATE="@$head_date +0000" \
            g 60 commit-tree ${head:+-p "$head"} -m 'staged changes' "$staged" 2>/dev/null </dev/null)
        parents="$parents $commit"
    fi
    if [ "$stash" != 0 ]; then
        parents="$parents $(g 60 rev-list --walk-reflogs --max-count=500 refs/stash -- 2>/dev/null </dev/null | tr '\n' ' ')"
    fi
    # shellcheck disable=SC2086
    set -- $parents
    parents=$*
    if [ "$tree" = "$head_tree" ] && [ "$parents" = "$head" ] && { [ -n "$branch" ] || [ -z "$head" ]; }; then
        [ -z "$wip" ] || put_away || return 1
        wip=
    elif [ -z "$wip" ] ||
        [ "$(g 60 rev-list --max-count=1 --no-commit-header --format='%T %P' "$wip" -- 2>/dev/null </dev/null)" != "$tree $parents" ]; then
        for parent in $parents; do
            set -- "$@" -p "$parent"
            shift
        done
        commit=$(g 60 commit-tree "$@" -m 'uncommitted work' "$tree" 2>"$d/errors" </dev/null)
        status=$?
        [ $status = 0 ] || { failed 'git commit-tree' $status "$d/errors"; return 1; }
        set_wip "$commit" || return 1
        wip=$commit
    fi
    unset GIT_INDEX_FILE
    [ -z "$broken" ] || failed 'git status' 1 "$d/first"
}

# What no snapshot can hold.
report() {
    # Repos inside the working tree: those that git lists as directories, populated submodules with changes, new gitlinks.
    result=${tree:-$head}
    [ "$result" != "$base" ] || result=
    if [ -n "$more$result" ]; then
        if [ -n "$more" ]; then
            sed -n -e 's,^? \(.*\)/$,\1,p' -e 's,^? \(".*\)/"$,\1",p' "$d/status"
            grep '^1 .. S' "$d/status" | cut -d ' ' -f 9-
            grep '^u .. S' "$d/status" | cut -d ' ' -f 11-
        fi
        if [ -n "$result" ]; then
            g 120 diff-tree -r --no-renames "$base" "$result" -- 2>/dev/null </dev/null |
                grep '^:[0-7]* 160000 ' | cut -f 2-
        fi
    fi | sort -u | while IFS= read -r name; do
        case $name in
            '"'*) printf '%s\n' "$name" ;;
            *) [ ! -e "$name/.git" ] || printf '%s\n' "$name" ;;
        esac
    done >"$d/nested"
    count_names nested nested "$d/nested"

    if [ -s "$d/first" ] || [ -s "$d/add" ]; then
        [ -f "$d/add" ] || : >"$d/add"
        sed -n -e "s/^error: unable to index file '\(.*[^/]\)'\$/\1/p" \
            -e "s/^warning: could not open directory '\(.*\)': .*/\1/p" "$d/first" "$d/add" | sort -u >"$d/unreadable"
        count_names unreadable unreadable "$d/unreadable"
    fi

    for worktree in "$GIT_DIR"/worktrees/*/gitdir; do
        if [ -f "$worktree" ]; then worktree=${worktree%/gitdir}; printf '%s\n' "${worktree##*/}"; fi
    done >"$d/worktrees"
    count_names worktrees worktree "$d/worktrees"

    if grep '^refs/tags/' "$d/refs" >"$d/all-tags"; then
        known=$GIT_DIR/scad/tags
        [ -f "$known" ] || known=/dev/null
        limited 30 comm -13 "$known" "$d/all-tags" 2>/dev/null | sed 's,^refs/tags/\([^ ]*\) .*,\1,' >"$d/tags"
        count_names tags tag "$d/tags"
    fi

    if [ "$ignored" != 0 ]; then
        tell ignored "$ignored"
        names ignored "$d/ignored"
    fi
}

number=0
while [ $# -ge 2 ]; do
    repo=$1 base=$2
    number=$((number + 1))
    (snapshot)
    shift 2
done
exit 0
)sh";
}

} // namespace scad::workspace
