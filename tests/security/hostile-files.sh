#!/usr/bin/env bash
# What would be caught: a command of the host's that follows, opens or waits for a file which a session has put where git
# keeps its own.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

secret=$trash/secret # a repo of the host's that no session may show
make_repo "$secret" secret.txt
secret_tip=$(tip "$secret" main)

# Fast and may fail: the repo is unusable, and that has to be told at once.
place=0
for path in HEAD config index packed-refs refs/heads/fifo objects info/attributes; do
    place=$((place + 1))
    # A FIFO: who opens it waits for ever.
    hostile "fifo-$place" 'mv ".git/$2" /tmp/old 2>/dev/null || :; mkfifo ".git/$2"' "$path"
    if [[ $path == config ]]; then
        plain_copy "fifo-$place"
        [[ $(cd "$plain" && timeout 2 git status >/dev/null 2>&1 || echo $?) == 124 ]] || fail "a FIFO does not even stop plain git"
    fi
    survive "fifo-$place" may-fail
    case $path in
        index | info/attributes) expect_match . "$honest" ;;
    esac
done

# A link: to a repo of the host's, so that its content could come as the session's.
place=0
for path in HEAD config index packed-refs refs objects refs/heads/link info logs hooks; do
    place=$((place + 1))
    hostile "link-$place" 'mv ".git/$2" /tmp/old 2>/dev/null || :; ln -s "$3/.git/$2" ".git/$2"' "$path" "$secret"
    survive "link-$place" may-fail
    ! git -C "$code" cat-file -e "$secret_tip" 2>/dev/null || fail "link-$place: a commit of another repo came through"
done

# The git directory as a whole is a mount, and stays one.
hostile whole '
    ! mv .git /tmp/git 2>/dev/null
    ! rmdir .git 2>/dev/null
    ! ln -sfT "$2/.git" .git 2>/dev/null
    rm -rf .git 2>/dev/null || :' "$secret"
survive whole may-fail

# A .git directory in the way of the mount, made while nothing is mounted there cannot be; one in the repo beside can.
hostile alternates '
    printf "%s\n" "$2/.git/objects" >>.git/objects/info/alternates
    printf "%s\n" "$3" >.git/refs/heads/stolen
    printf "%s refs/heads/stolen-too\n" "$3" >>.git/packed-refs' "$secret" "$secret_tip"
plain_copy alternates
printf '%s\n' "$secret/.git/objects" >>"$plain/.git/objects/info/alternates"
expect_same "$secret_tip" "$(git -C "$plain" log -1 --format=%H stolen)"
survive alternates arrives
! git -C "$code" cat-file -e "$secret_tip" 2>/dev/null || fail "a commit of another repo came through"
