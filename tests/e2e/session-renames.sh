#!/usr/bin/env bash
# Would catch: a directory of the repo that cannot be renamed in a session by git mv, mv or rename(2), one that is renamed in part, or a rename that changes what is in it.
. "$(dirname "$0")/../support/world.sh"
. "$support/session.sh"

code=$trash/code
files=()
for one in a b/c b/d/e b/d/f x/y/z/deep; do files+=("top/$one"); done
make_repo "$code" README.md "${files[@]}" other/file
ln -s ../b/c "$code/top/x/link"
chmod 755 "$code/top/b/c"
git -C "$code" add -A && git -C "$code" commit -qm more
docs=$trash/docs
make_repo "$docs" README.md
mkdir "$docs/.scad"
printf '%s\n' '[repos.code]' 'path = "../code"' >"$docs/.scad/atlas.toml"
git config --global scad.docs "$docs"
git scad config trust --yes atlas >&2
start alpha

listing='find . -mindepth 1 -name .git -prune -o -printf "%P %y %m %l\n" | sort; find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 md5sum'
plain=$trash/plain
git clone -q "$code" "$plain"
same() { expect_same "$(cd "$plain" && bash -c "$listing")" "$(inside alpha code "$listing")"; }
chmod -R g-w,o-w "$plain" && inside alpha code 'find . -name .git -prune -o ! -type l -exec chmod g-w,o-w {} +'

# git mv, of a directory and into one; back again.
inside alpha code 'git mv top moved && git mv moved other && git status --porcelain' >"$trash/status"
(cd "$plain" && git mv top moved && git mv moved other && git status --porcelain) >"$trash/plain.status"
expect_same "$trash/plain.status" "$trash/status"
same
inside alpha code 'git commit -qm moved && git mv other/moved top && git commit -qm back && git status --porcelain' >"$trash/status"
(cd "$plain" && git commit -qm moved && git mv other/moved top && git commit -qm back)
expect_same "" "$(<"$trash/status")"
same

# mv, rename(2) and its kin, with directories that are of the session's own in part, changed and removed files in them,
# by relative and absolute paths and by descriptors.
script='
    echo new >top/b/new && rm top/b/d/e && echo changed >top/b/d/f && mkdir top/own && echo own >top/own/file
    mv top second
    python3 - <<END
import os
os.rename("second/b", os.path.abspath("second/bb"))
os.mkdir("empty")
os.rename("second/x", "empty")
fd = os.open("second", os.O_RDONLY)
os.rename("bb", "by-descriptor", src_dir_fd=fd, dst_dir_fd=fd)
os.rename("other/", "third")
os.chdir("third")
os.rename("../empty", "below")
END
    git add -A && git commit -qm renamed'
inside alpha code "$script"
(cd "$plain" && sh -euc "$script")
same
expect_same "" "$(inside alpha code 'git status --porcelain; git fsck --no-dangling 2>&1')"

# What rename(2) refuses, it refuses here, and changes nothing.
inside alpha code 'git reset -q --hard HEAD~1'
(cd "$plain" && git reset -q --hard HEAD~1)
inside alpha code 'python3 - <<END
import errno, os, ctypes
def fails(name, *args, **keys):
    try: os.rename(*args, **keys)
    except OSError as e: assert e.errno == getattr(errno, name), (args, e)
    else: raise SystemExit(f"{args} was renamed")
fails("ENOTEMPTY", "top", "other")
fails("ENOTDIR", "top", "README.md")
fails("EINVAL", "top", "top/b/inside")
fails("ENOENT", "top", "nowhere/top")
fails("ENOENT", "nothing", "top")
fails("EXDEV", "top", "/tmp/top")
libc = ctypes.CDLL(None, use_errno=True)
assert libc.renameat2(-100, b"top", -100, b"other", 1) == -1 and ctypes.get_errno() == errno.EEXIST
os.mkdir("closed"); os.mkdir("closed/in"); os.chmod("closed", 0o500)
fails("EACCES", "top", "closed/in/../top")
os.chmod("closed", 0o700); os.rmdir("closed/in"); os.rmdir("closed")
END'
same

# Threads and processes that rename at once; each call is answered, whoever is killed in the middle.
inside alpha code 'python3 - <<END
import os, threading
def work(n):
    for i in range(100):
        os.mkdir(f"d{n}-{i}"); open(f"d{n}-{i}/f", "w").close()
        os.rename(f"d{n}-{i}", f"e{n}-{i}"); os.rename(f"e{n}-{i}/f", f"e{n}-{i}/g")
        os.remove(f"e{n}-{i}/g"); os.rmdir(f"e{n}-{i}")
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
END
for n in 1 2 3 4 5; do timeout -s KILL 0.0$n mv top top$n || true; [ -d top ] || mv top$n top; done
ls top >/dev/null'
expect_same "" "$(inside alpha code 'git status --porcelain | grep -v "top[0-9]" || true')"
