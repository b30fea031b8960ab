#!/usr/bin/env bash
# What would be caught: objects of a session's that would hurt whoever checks them out, or a repo so broken that its honest
# branches are lost with the bad ones.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

bad_objects() { # the script that makes one branch a bad kind
    printf '%s' '
        run=$1
        blob=$(echo "$run" | git hash-object -w --stdin)
        inner=$(printf "100755 blob %s\tpost-checkout\n" "$blob" | git mktree)
        make() { # <branch> <tree>
            git update-ref "refs/heads/$1" "$(git commit-tree -p HEAD -m "$1" "$2")"
        }
        raw() { # <mode> <name> <id>: a tree entry
            printf "%s %s\0" "$1" "$2"
            printf "$(echo "$3" | sed "s/../\\\\x&/g")"
        }
        tree_of() { perl -e "binmode STDOUT; print qq(\$ARGV[0] \$ARGV[1]\\0), pack(q(H*), \$ARGV[2])" "$@" | git hash-object -t tree --literally -w --stdin; }
        hooks=$(tree_of 40000 hooks "$inner")
        make dotgit "$(tree_of 40000 .git "$hooks")"
        make dotgit-case "$(tree_of 40000 .GIT "$hooks")"
        make dotgit-ntfs "$(tree_of 40000 git~1 "$hooks")"
        make dotgit-hfs "$(tree_of 40000 "$(printf ".g\342\200\214it")" "$hooks")"
        make dotdot "$(tree_of 40000 .. "$hooks")"
        make slash "$(tree_of 100644 ../../escape "$blob")"
        make empty-name "$(tree_of 100644 "" "$blob")"
        modules=$(printf "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=%s\n" "$run" | git hash-object -w --stdin)
        make gitmodules-url "$(printf "100644 blob %s\t.gitmodules\n" "$modules" | git mktree)"
        modules=$(printf "[submodule \"../../x\"]\n\tpath = x\n\turl = /x\n" | git hash-object -w --stdin)
        make gitmodules-name "$(printf "100644 blob %s\t.gitmodules\n" "$modules" | git mktree)"
        link=$(printf .git/config | git hash-object -w --stdin)
        make gitmodules-link "$(printf "120000 blob %s\t.gitmodules\n" "$link" | git mktree)"
        tree=$(git rev-parse "HEAD^{tree}")
        for author in "no email 1 +0000" "A <a> <b> 1 +0000" "A <a@b> 99999999999999999999 +0000"; do
            id=$(printf "tree %s\nauthor %s\ncommitter C <c@d> 1 +0000\n\nm\n" "$tree" "$author" | git hash-object -t commit --literally -w --stdin)
            number=$((${number:-0} + 1))
            echo "$id" >".git/refs/heads/author-$number"
        done
        absent=$(printf "tree 0123456789012345678901234567890123456789\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 1 +0000\n\nm\n" | git hash-object -t commit --literally -w --stdin)
        echo "$absent" >.git/refs/heads/absent-tree'
}

hostile trees "$(bad_objects)"
made=$(inside trees code 'git for-each-ref --format="%(refname:short)" refs/heads' | grep -Ec '^(dot|slash|empty|gitmodules|author|absent)')
[[ $made == 14 ]] || fail "only $made of the bad branches were made"
# Plain git takes them.
plain_copy trees
git clone -q --no-checkout "file://$plain" "$trash/taken" 2>/dev/null || git -C "$plain" cat-file -e dotgit || fail "there is no bad branch to be refused"
git -C "$code" fetch scad/trees 2>"$trash/told"
expect_tip "$code" scad/trees/honest "$honest"
for branch in $(inside trees code 'git for-each-ref --format="%(refname:short)" refs/heads' | grep -E '^(dot|slash|empty|gitmodules|author|absent)'); do
    expect_tip "$code" "scad/trees/$branch" ""
    expect_match "refs/heads/$branch' does not come" "$trash/told"
done
survive trees

# A pack whose bytes are not what they were.
hostile pack '
    git repack -q -d -l
    for pack in .git/objects/pack/*.pack; do
        chmod u+w "$pack"
        dd if=/dev/urandom of="$pack" bs=1 seek=60 count=40 conv=notrunc 2>/dev/null
    done'
survive pack may-fail

# History that the session hides or swaps.
hostile shallow 'git rev-parse honest >.git/shallow'
survive shallow may-fail
hostile replaced '
    other=$(git commit-tree -m forged "HEAD^{tree}")
    git replace "$(git rev-parse honest)" "$other"
    git replace "$(git rev-parse HEAD)" "$other"'
git -C "$code" fetch -q scad/replaced
expect_same honest "$(git -C "$code" log -1 --format=%s scad/replaced/honest)"
survive replaced
hostile grafts '
    git switch -q honest
    git commit -q --allow-empty -m middle
    git commit -q --allow-empty -m last
    printf "%s %s\n" "$(git rev-parse HEAD)" "$(git rev-parse HEAD~2)" >.git/info/grafts'
survive grafts may-fail
git -C "$code" fsck --connectivity-only >"$trash/fsck" 2>&1 || fail "the host repo is incomplete: $(<"$trash/fsck")"
