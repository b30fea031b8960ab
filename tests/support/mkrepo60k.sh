#!/usr/bin/env bash
# usage: mkrepo60k.sh <dir> [<files>]
# Makes a repository of 60,000 small files in 600 folders, the same commit each time, checked out.
set -euo pipefail
dir=${1:?usage: mkrepo60k.sh <dir> [<files>]}
files=${2:-60000}
git init -q --initial-branch=main "$dir"
awk -v files="$files" 'BEGIN {
    print "commit refs/heads/main"
    print "committer A U Thor <author@example.com> 1767323045 +0000"
    print "data 6\nfiles\n"
    for (n = 0; n < files; ++n) {
        folder = int(n / 100)
        text = "file " n "\n"
        for (line = 0; line < 20; ++line) text = text "line " line " of file " n ", folder " folder "\n"
        printf "M 100644 inline part%02d/folder%03d/file%05d.txt\ndata %d\n%s\n", folder % 20, folder, n, length(text), text
    }
    print "done"
}' | git -C "$dir" fast-import --quiet --done
git -C "$dir" reset -q --hard main
