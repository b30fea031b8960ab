#!/usr/bin/env bash
# What a session with a baked environment costs beside making one by hand, and a build that has nothing to do.
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null # followed from two sides it takes all memory
. "$support/environment.sh"

start_index apple==1.0 pear==1.0 plum==1.0
make_project '[environment]' 'network = "host"' '[environment.python]' 'requirements = ["code/requirements.txt"]' '[[environment.setup]]' \
    'run = "mkdir code/made; for i in $(seq 1000); do echo $i >code/made/$i; done"' 'inputs = ["code/README.md"]'
# shellcheck disable=SC2154 # of start_index
commit_file "$code" requirements.txt "--index-url $index
apple
pear
plum"
commit_file "$code" .gitignore made/
git scad build -q atlas

by_hand=$(median_of 3 --after "rm -rf '$trash/venv{}'" bash -c "python3 -m venv '$trash/venv{}' && '$trash/venv{}/bin/pip' install -q --disable-pip-version-check -r '$code/requirements.txt'")
compare "build, up to date" "$(median_of 9 git scad build -q atlas)" "venv and pip by hand" "$by_hand" 0.02
start=$(median_of 5 git scad session start -q atlas "s{}")
compare "session start with a venv" "$start" "venv and pip by hand" "$by_hand" 0.1
bench_end
