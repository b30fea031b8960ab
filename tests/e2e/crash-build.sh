#!/usr/bin/env bash
# Would catch: a killed `build` that leaves half a layer or half an environment, a lock or a sandbox that stays, or steps
# that the next build does again although they were whole.
. "$(dirname "$0")/../support/world.sh"
. "$support/crash.sh"
. "$support/environment.sh"

# Each step writes many files, and tells that it ran outside of what is kept: by the log of the build.
make_project '[environment]' 'network = "none"' '[[environment.setup]]' \
    'run = "mkdir -p code/one; for i in $(seq 200); do echo $i >code/one/$i; done; sleep 0.1"' 'inputs = ["code/README.md"]' \
    '[[environment.setup]]' 'run = "mkdir -p docs/two /opt/scad/two; cp code/one/* docs/two; cp docs/two/* /opt/scad/two; sleep 0.1"' \
    'inputs = ["docs/README.md"]'
printf 'one/\ntwo/\n' >"$code/.git/info/exclude"

whole() { # every layer and environment that is there is all of itself
    local layer
    for layer in "$state"/environments/layers/*/; do
        [[ -d $layer ]] || continue
        [[ -s $layer/layer.json && -s $layer/log ]] || fail "half a layer: $(ls -A "$layer")"
        [[ ! -d $layer/work/code ]] || expect_same 200 "$(find "$layer/work/code" -type f | wc -l)"
        [[ ! -d $layer/work/docs ]] || expect_same 200 "$(find "$layer/opt" -type f | wc -l)"
    done
    for layer in "$state"/environments/[0-9a-f]*/; do
        [[ ! -d $layer ]] || [[ -s $layer/environment.json && -s $layer/log ]] || fail "half an environment: $(ls -A "$layer")"
    done
}

build() { git-scad build -q atlas; }
took=$(milliseconds build)
outcomes=
for ((step = 1; step <= 14; ++step)); do
    rm -rf "$state/environments"
    kill_after $((took * step / 14)) git-scad build atlas
    whole
    layers=$({ find "$state/environments/layers" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' 2>/dev/null || true; } | wc -l)
    outcomes+=" $layers"
    # The next one goes on where that one was, at once.
    expect_exit 0 git-scad build atlas
    expect_no_match 'waiting' "$err"
    if [[ -s $err ]] && ! grep -q 'up to date' "$err"; then
        expect_same "$layers" "$(grep -c 'kept$' "$err" || true)"
    fi
    whole
    expect_same "" "$(find "$state/environments" -name '.tmp-*')"
    expect_exit 0 git-scad build atlas
    expect_match 'up to date' "$err"
done
echo "layers that were whole after a kill:$outcomes" >&2
expect_match ' 0' "$outcomes"
expect_match ' 1' "$outcomes"

wait_for 5 no_process_left
git scad session start -q atlas alpha
expect_same 200 "$(in_session alpha sh -c 'ls /work/docs/two | wc -l')"
