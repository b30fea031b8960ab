#!/usr/bin/env bash
# What would be caught: a session that changes a directory which it was lent to read, or reaches past one that it may write.
# shellcheck disable=SC2016,SC2119,SC2154 # scripts for an inner shell; inside.sh sets what is not set here
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/inside.sh"
read_only=$trash/read-only shared=$trash/shared
mkdir -p "$read_only/dir" "$shared/dir" "$trash/beside"
for directory in "$read_only" "$shared" "$trash/beside"; do echo data >"$directory/data.txt"; done
chmod 666 "$read_only/data.txt"
chmod 777 "$read_only" "$read_only/dir"
ln -s ../beside/data.txt "$shared/link"
ln -s ../beside/data.txt "$read_only/link"
ln -s "$trash/beside" "$shared/out"
ln -s "$trash/beside" "$read_only/out"
begin_inside '[mounts."/data/ro"]' "source = \"$read_only\"" '[mounts."/data/rw"]' "source = \"$shared\"" 'mode = "rw"' \
    '[mounts."/data/file.txt"]' "source = \"$trash/beside/data.txt\""
state_of() { (cd "$1" && find . -printf '%p %y %m %s %T@ %n %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }
read_only_before=$(state_of "$read_only")
beside_before=$(state_of "$trash/beside")

works alpha read /data/ro/data.txt
works alpha read /data/file.txt
while read -r act; do
    # shellcheck disable=SC2086 # words
    in_vain alpha ${act//@//data/ro}
done <<'END'
write @/data.txt
write @/new
truncate @/data.txt
remove @/data.txt
rename @/data.txt @/other
mkdir @/new
mkdir @/dir/new
symlink @/new
chmod @/data.txt
chmod @
times @/data.txt
setxattr @/data.txt user.x
link @/data.txt @/new
link @/data.txt /tmp/new
rename @/data.txt /tmp/new
make-mode mknod @/new 0644
writable-mount @
remount @
umount @
END
for act in write truncate remove chmod times; do in_vain alpha "$act" /data/file.txt; done
in_vain alpha rename /tmp/probe /data/file.txt
expect_same "$read_only_before" "$(state_of "$read_only")"
# With the defence off, each of them changes something.
cp -a "$read_only" "$trash/open"
for act in write truncate chmod times; do works plain "$act" "$trash/open/data.txt"; done
works plain mkdir "$trash/open/new"
works plain rename "$trash/open/data.txt" "$trash/open/other"
works plain remove "$trash/open/other"
works plain writable-mount "$trash/open"
[[ $read_only_before != "$(state_of "$trash/open")" ]] || fail "these acts change nothing"

# What may be written is that directory and no more, whichever way is taken.
works alpha write /data/rw/new.txt
expect_same scad-was-here "$(<"$shared/new.txt")"
for path in /data/rw/../beside/data.txt /data/rw/link /data/ro/link /data/rw/out/data.txt /data/ro/out/data.txt "$trash/beside/data.txt" \
    /proc/self/cwd/../beside/data.txt "$trash/shared/data.txt"; do
    in_vain alpha read "$path"
    in_vain alpha write "$path"
done
works plain read "$shared/link"
works plain read "$shared/../beside/data.txt"
in_vain alpha list /data/rw/..//..//beside
expect_same "file.txt ro rw" "$(in_session alpha ls /data | xargs)"
in_vain alpha link /data/rw/data.txt /tmp/data.txt
in_vain alpha rename /data/rw /data/rw2
in_vain alpha write /data/new
expect_same "$beside_before" "$(state_of "$trash/beside")"

# A directory that is moved about while it is worked in does not open what lies beside it.
in_session alpha sh -c '
    mkdir -p /data/rw/a/b/c
    : >/tmp/stolen
    cd /data/rw/a/b/c
    (while :; do cat ../../../../beside/data.txt ../../../beside/data.txt; done) >/tmp/stolen 2>/dev/null &
    cd /
    for n in $(seq 200); do mv /data/rw/a/b /data/rw/b; mv /data/rw/b /data/rw/a/b; done
    kill $!' || true
expect_same "" "$(cat "$state/sessions/alpha/tmp/stolen")"

# The name of a lent directory is looked up anew when the session starts again. A session that can write what is above it,
# because that is lent to it as well, must not choose what it leads to.
mkdir -p "$trash/outer/inner" "$trash/outer/ro"
echo inner | tee "$trash/outer/inner/data.txt" "$trash/outer/ro/data.txt" >"$trash/outer/inner.txt"
echo "a secret of the user's" >"$HOME/secret.txt"
other_project nested '[mounts."/data/outer"]' "source = \"$trash/outer\"" 'mode = "rw"' \
    '[mounts."/data/inner"]' "source = \"$trash/outer/inner\"" 'mode = "rw"' '[mounts."/data/ro"]' "source = \"$trash/outer/ro\"" \
    '[mounts."/data/inner.txt"]' "source = \"$trash/outer/inner.txt\""
begin_session nested nested
works nested read /data/inner/data.txt
works nested read /data/inner.txt
in_session nested sh -c 'cd /data/outer; mv inner inner.old; ln -s "$1" inner; mv ro ro.old; ln -s "$1" ro; rm inner.txt; ln -s "$1/secret.txt" inner.txt' sh "$HOME"
works plain read "$trash/outer/inner/secret.txt" # the link leads there
git scad session stop -q nested
for way in inner ro inner.txt; do
    git scad session resume -q nested >"$trash/resumed" 2>&1 || expect_match '^fatal: ' "$trash/resumed"
    if git scad session exec nested -- true 2>/dev/null; then
        for path in /data/inner/secret.txt /data/ro/secret.txt /data/inner.txt; do in_vain nested read "$path" "a secret"; done
    fi
    git scad session stop -q nested 2>/dev/null || true
    rm "$trash/outer/$way"
    case $way in
        inner.txt) echo inner >"$trash/outer/$way" ;;
        *) mv "$trash/outer/$way.old" "$trash/outer/$way" ;;
    esac
done
git scad session resume -q nested
works nested read /data/inner/data.txt
