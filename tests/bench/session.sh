#!/usr/bin/env bash
# What a session costs on a repo of 60,000 files, beside `git worktree add`; and a job beside a bare fork and exec.
. "$(dirname "$0")/lib.sh"

bash "$support/mkrepo60k.sh" "$trash/big"
docs=$trash/docs
make_repo "$docs"
mkdir -p "$docs/.scad"
printf '[repos.big]\npath = "../big"\n' >"$docs/.scad/big.toml"
git config --global scad.docs "$docs"
git scad config trust --yes big
git scad build big

worktree=$(median_of 5 --after "git -C '$trash/big' worktree remove --force '$trash/w{}'" git -C "$trash/big" worktree add -q --detach "$trash/w{}")
start=$(median_of 5 git scad session start -q big "s{}")
compare "session start, warm" "$start" "git worktree add" "$worktree" 0.05

# The first status in each of five fresh sessions and worktrees, timed where git runs.
timed_status='TIMEFORMAT=%R; time git -C "$0" status >/dev/null'
median_ms() { sort -n | awk '{ seconds[NR] = $1 } END { print seconds[int((NR + 1) / 2)] * 1000 }'; }
for n in 1 2 3 4 5; do
    git -C "$trash/big" worktree add -q --detach "$trash/v$n"
    bash -c "$timed_status" "$trash/v$n"
done 2>"$trash/outer.times"
for n in 1 2 3 4 5; do
    git scad session exec "s$n" -- bash -c "$timed_status" /work/big
done 2>"$trash/inner.times"
compare "first git status in a session" "$(median_ms <"$trash/inner.times")" "the same in a worktree" "$(median_ms <"$trash/outer.times")" 1

# A session that has changed a hundred files and written as many new ones.
git scad session exec -w /work/big s1 -- sh -c 'git ls-files | head -n 100 | while read -r f; do echo changed >>"$f"; done
    for n in $(seq 100); do echo $n >new-$n; done'
fork=$(median_of 5 git scad session fork -q s1 "f{}")
compare "session fork, 100 files changed" "$fork" "session start, warm" "$start" 3
git scad session stop -q s1
fork=$(median_of 5 git scad session fork -q s1 "g{}")
compare "the same of a stopped session" "$fork" "session start, warm" "$start" 3

# Renames of files, which process 1 is asked about, beside the same on the host.
renames='import os, time
open("r0", "w").close()
begin = time.perf_counter()
for n in range(5000): os.rename(f"r{n % 2}", f"r{(n + 1) % 2}")
print((time.perf_counter() - begin) * 1000 / 5000)
os.remove("r0")'
rename_inside=$(git scad session exec -w /home/agent s2 -- python3 -c "$renames")
rename_outside=$(cd "$HOME" && python3 -c "$renames")
compare "rename of a file in a session" "$rename_inside" "the same on the host" "$rename_outside" 10

exec_true=$(median_of 25 /usr/bin/true)
job=$(median_of 5 git scad inject s0 -- true)
compare "inject -- true" "$job" "fork and exec of true" "$exec_true" 40
git scad build -q big
compare "build, up to date" "$(median_of 5 git scad build -q big)" "git worktree add" "$worktree"
bench_end
