#!/usr/bin/env bash
# Would catch: job list, show, logs, wait and cancel that lie about a job, miss one, or break the form that scripts read.
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
git scad session start -q atlas beta >/dev/null

expect_exit 0 git scad job list
expect_match 'no jobs' "$err"
expect_same '{"version":1,"jobs":[]}' "$(git scad job list --json | tr -d ' \n' | python3 -c 'import json, sys; d = json.load(sys.stdin); print(json.dumps({"version": d["version"], "jobs": d["jobs"]}, separators=(",", ":")))')"
expect_exit 128 git scad job show alpha
expect_match "has no job yet" "$err"
expect_match "^hint: git scad inject alpha$" "$err"

git scad inject -q alpha -- true
git scad inject -q alpha -- sh -c $'echo "tab\there"\nexit 5' >/dev/null || true
git scad inject -q -d alpha -- sh -c 'echo line 1; until test -e /tmp/go; do sleep 0.05; done; echo line 2; exec sleep 600' >/dev/null
git scad inject -q beta -- true

# porcelain: one record a line, quoted; -z not quoted, tabs and newlines become spaces.
git scad job list --porcelain alpha >list
expect_same 3 "$(wc -l <list)"
expect_same 8 "$(awk -F'\t' '{ print NF }' list | sort -u)"
expect_same $'alpha\t1\tcommand\tdone\t0' "$(sed -n 1p list | cut -f1-5)"
expect_same $'alpha\t2\tcommand\tfailed\t5' "$(sed -n 2p list | cut -f1-5)"
expect_same $'alpha\t3\tcommand\trunning\t-' "$(sed -n 3p list | cut -f1-5)"
expect_same - "$(sed -n 3p list | cut -f7)"
for n in 1 2; do [[ $(sed -n ${n}p list | cut -f6) -le $(sed -n ${n}p list | cut -f7) ]] || fail "ended before it started"; done
git scad job list --porcelain -z >list-z
expect_same 4 "$(tr -dc '\0' <list-z | wc -c)"
expect_same 0 "$(tr -dc '\n' <list-z | wc -c)"
expect_same 8 "$(tr '\0' '\n' <list-z | awk -F'\t' '{ print NF }' | sort -u)"
git scad inject -q beta -- sh -c 'true; : "käse"'
expect_match '"sh -c .true; : .*k\\303\\244se' "$(git scad job list --porcelain beta)"
expect_match 'käse' "$(git scad job list --porcelain -z beta | tr '\0' '\n')"
expect_exit 129 git scad job list --json --porcelain
expect_same "alpha 3 running None" "$(git scad job list --json alpha | python3 -c '
import json, sys
d = json.load(sys.stdin)
j = d["jobs"][2]
assert d["version"] == 1 and len(d["jobs"]) == 3
print(j["session"], j["number"], j["state"], j["exit_status"])')"
expect_exit 0 git scad job list
expect_match '^alpha:2 +command +failed ' "$out"
expect_match '^beta:1 +command +done ' "$out"

# show
expect_exit 0 git scad job show alpha:2
expect_match '^state: +failed, exit status 5' "$out"
expect_match '^reason: +exited with status 5' "$out"
expect_exit 0 git scad job show --json alpha:2
python3 - "$out" <<'PYTHON'
import json, sys
job = json.load(open(sys.argv[1]))
assert job["version"] == 1 and job["state"] == "failed" and job["exit_status"] == 5, job
assert job["command"] == ["sh", "-c", 'echo "tab\there"\nexit 5'], job["command"]
assert [r["repo"] for r in job["after"]] == ["code", "docs"], job["after"]
PYTHON
expect_exit 128 git scad job show alpha:9
expect_match 'has no job 9' "$err"
for name in alpha:x alpha: :1 alpha:0 alpha:-1; do expect_exit 129 git scad job show "$name"; done
expect_exit 128 git scad job show gamma:1

# logs: what there is; -f goes on until the end, and begins with what was there.
expect_same $'tab\there' "$(git scad job logs alpha:2)"
expect_same "line 1" "$(git scad job logs alpha)"
git scad job logs -f alpha >followed 2>followed-err &
follower=$!
wait_for 5 grep -q 'line 1' followed
git scad session exec alpha -- touch /tmp/go
wait_for 5 grep -q 'line 2' followed

# All of what was there, also when it is much and nothing more comes.
git scad inject -q -d beta -- sh -c 'head -c 9000000 /dev/zero | tr "\0" y | fold -w 99; echo; echo the last; exec sleep 600' >/dev/null
wait_for 10 bash -c 'test "$(tail -n 1 "$0"/sessions/beta/jobs/*/output.log | tail -n 1)" = "the last"' "$state"
git scad job logs -f beta >much &
much=$!
wait_for 30 bash -c 'test "$(tail -n 1 much)" = "the last"'
git scad job cancel -q beta
wait $much || true

# wait and cancel
git scad job wait alpha:1 alpha 2>waited &
waiter=$!
expect_exit 0 git scad job cancel alpha
expect_match 'cancelling job alpha:3' "$err"
wait $follower
expect_match '^error: alpha:3 cancelled' followed-err
expect_same "line 1
line 2" "$(<followed)"
status=0
wait $waiter || status=$?
expect_same 1 "$status"
expect_exit 0 git scad job cancel alpha
expect_match 'is cancelled already' "$err"
expect_same "cancelled 143" "$(git scad job list --porcelain alpha | sed -n 3p | cut -f4,5 | xargs)"
expect_exit 0 git scad job wait alpha:1 beta:1
expect_exit 128 git scad job wait alpha:1 nosuch

# All of it works on a stopped session, and what was cut short is told.
git scad inject -q -d beta -- sleep 600 >/dev/null
git scad session stop -q alpha beta
expect_same cancelled "$(git scad job list --porcelain beta | tail -n 1 | cut -f4)"
expect_match 'session stopped' "$(git scad job show beta)"
expect_same "line 1
line 2" "$(git scad job logs alpha:3)"
expect_exit 1 git scad job wait alpha
expect_exit 0 git scad job logs -f alpha:1
