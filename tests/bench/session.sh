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

# The first status in each of five fresh sessions and worktrees.
git_status=$(median_of 5 --before "git -C '$trash/big' worktree add -q --detach '$trash/v{}'" git -C "$trash/v{}" status)
inner_status=$(median_of 5 git scad session exec "s{}" -- git -C /work/big status)
compare "first git status in a session" "$inner_status" "the same in a worktree" "$git_status" 1

exec_true=$(median_of 25 /usr/bin/true)
job=$(median_of 5 git scad inject s0 -- true)
compare "inject -- true" "$job" "fork and exec of true" "$exec_true" 40
git scad build -q big
compare "build, up to date" "$(median_of 5 git scad build -q big)" "git worktree add" "$worktree"
bench_end
