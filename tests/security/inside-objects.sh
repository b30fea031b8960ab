#!/usr/bin/env bash
# What would be caught: a session that changes what it shares with others: base trees and the host's objects.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
begin_inside
begin_session beta

of_tree() { find "$state/trees" -mindepth 3 -printf '%P %y %m %s %T@ %i %l\n' -type f -exec sha256sum {} + | sort; }
of_objects() { find "$code/.git/objects" "$docs/.git/objects" -printf '%p %m %s %T@\n' -type f -exec sha256sum {} + | sort; }
tree=$(dirname "$(find "$state/trees" -name main.txt -path '*src*')")
[[ -f $tree/main.txt ]] || fail "no base tree"
before=$(of_tree)
objects=$(of_objects)

# All that can be done to a file through an overlay stays in the session's own layer.
in_session alpha sh -euc '
    cd /work/code
    echo more >>src/main.txt
    chmod 777 README.md
    touch -d 2001-01-01 README.md
    ln README.md hard && echo linked >>hard
    mv src/main.txt src/moved.txt
    mkdir src/new && echo new >src/new/file
    truncate -s 0 src/moved.txt
    rm -rf src
    ln -s /etc/passwd src
    setfattr -n user.scad -v x README.md 2>/dev/null || :
    python3 - <<END 2>/dev/null || :
import mmap, os
fd = os.open("README.md", os.O_RDWR)
mmap.mmap(fd, 0)[0:1] = b"X"
END
    git -C /work/docs rm -q README.md'
expect_same "$before" "$(of_tree)"
expect_same "README.md" "$(in_session beta cat README.md)"
expect_same "src/main.txt" "$(in_session beta cat src/main.txt)"
# The layer below has no other way in: not by its own path, nor by the descriptors that it was mounted through.
in_vain alpha read "$tree/main.txt"
in_vain alpha list "$state/trees"
for number in 3 4 5 6 7 8 9 10 20 30 31 32 33 34 40 50; do
    in_vain alpha list "/proc/1/fd/$number"
done
# With the defence off, which is that the layer is below an overlay: the same act changes what others share.
works plain read "$tree/main.txt"
cp -a "$tree" "$trash/copy"
chmod -R u+w "$trash/copy"
works plain truncate "$trash/copy/main.txt"
expect_same "" "$(cat "$trash/copy/main.txt")"

# The host's objects are lent read-only, and new ones of the session's go to its own place.
lent=/run/scad/objects/code/0
one=$(cd "$code/.git/objects" && find . -type f -path './??/*' | head -n 1)
expect_match . "$one"
for act in "write $lent/scad-test" "mkdir $lent/zz" "remove $lent/$one" "chmod $lent/$one" "truncate $lent/$one" "times $lent/$one" \
    "rename $lent/$one $lent/x" "link $lent/$one /tmp/x" "link $lent/$one $lent/x" "symlink $lent/x" "setxattr $lent/$one user.x"; do
    # shellcheck disable=SC2086 # words
    in_vain alpha $act
done
id=$(in_session alpha sh -c 'head -c 100 /dev/urandom | git hash-object -w --stdin')
in_session alpha git cat-file -e "$id"
in_session alpha sh -c 'GIT_OBJECT_DIRECTORY=$1 git hash-object -w README.md 2>/dev/null && exit 9 || :
    GIT_DIR=/work/code/.git git gc -q --prune=now; GIT_OBJECT_DIRECTORY=$1 git prune 2>/dev/null || :
    rm -rf "$1"/* 2>/dev/null || :' sh "$lent"
! git -C "$code" cat-file -e "$id" 2>/dev/null || fail "an object of the session's came to the host unasked"
expect_same "$objects" "$(of_objects)"
git -C "$code" fsck --strict >/dev/null

# With the defence off, objects shared in the way of plain git can be spoilt by whoever borrows them.
git clone -q --shared "$code" "$trash/borrower"
borrowed=$(<"$trash/borrower/.git/objects/info/alternates")
works plain write "$borrowed/scad-test"
works plain times "$borrowed/$one"
works plain rename "$borrowed/$one" "$trash/object"
if git -C "$code" fsck --strict >/dev/null 2>&1; then fail "the repo is whole without an object"; fi
works plain rename "$trash/object" "$borrowed/$one"
rm "$borrowed/scad-test"

# A push into alternates: what the session points at is read inside, where there is nothing of the host's to read.
make_repo "$trash/private" private.txt
private=$(git -C "$trash/private" rev-parse HEAD)
in_session alpha sh -c 'echo "$1" >>/work/code/.git/objects/info/alternates' sh "$trash/private/.git/objects"
expect_exit 1 git scad session exec alpha -- git cat-file -e "$private"
echo "$trash/private/.git/objects" >>"$trash/borrower/.git/objects/info/alternates"
git -C "$trash/borrower" cat-file -e "$private"
