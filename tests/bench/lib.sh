# shellcheck shell=bash
# Sourced by each bench: a world as the tests have it, and a table of what scad's acts cost beside a peer's, measured
# in the same run. Times are wall-clock milliseconds of a child process from fork to its end.

: "${SCAD_TEST_TIMEOUT:=900}"
# shellcheck source=../support/world.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/world.sh"

bench_rows=()
bench_missed=()

# median_of <n> [--before <shell command>] [--after <shell command>] <program> [<argument>…]
# Prints the median of n runs after one that is not counted; {} in an argument or in a shell command becomes the number
# of the run. What stands before and after is not timed.
median_of() {
    python3 - "$@" <<'END'
import os, statistics, subprocess, sys, time

runs, argv = int(sys.argv[1]), sys.argv[2:]
shell = {"--before": None, "--after": None}
while argv[0] in shell:
    shell[argv[0]], argv = argv[1], argv[2:]
null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]

def around(which, number):
    if shell[which]:
        subprocess.run(["bash", "-c", shell[which].replace("{}", number)], check=True, stdout=subprocess.DEVNULL)

times = []
for number in map(str, range(runs + 1)):
    around("--before", number)
    args = [arg.replace("{}", number) for arg in argv]
    start = time.perf_counter()
    pid = os.posix_spawnp(args[0], args, os.environ, file_actions=null)
    status = os.waitpid(pid, 0)[1]
    times.append((time.perf_counter() - start) * 1000)
    if status != 0:
        sys.exit(f"{' '.join(args)}: wait status {status}")
    around("--after", number)
print(f"{statistics.median(times[1:]):.3f}")
END
}

# ratio <a> <b>: a / b
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a / b }'; }

# compare <what> <ms> <peer> <ms> [<at most>]: a row of the table; a ratio above the bound fails the bench at its end.
compare() {
    local got
    got=$(ratio "$2" "$4")
    bench_rows+=("$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\t'"$got"$'\t'"${5:--}")
    [[ -z ${5:-} ]] || awk -v r="$got" -v m="$5" 'BEGIN { exit !(r <= m) }' || bench_missed+=("$1: $got > $5")
}

# bench_end: prints the table; the last command of a bench.
bench_end() {
    printf '%-34s %10s  %-24s %10s %9s %8s\n' "what" "ms" "peer" "ms" "ratio" "at most"
    local row
    for row in "${bench_rows[@]}"; do
        IFS=$'\t' read -r -a row <<<"$row"
        printf '%-34s %10.2f  %-24s %10.2f %9s %8s\n' "${row[@]}"
    done
    [[ ${#bench_missed[@]} -eq 0 ]] || fail "too slow: ${bench_missed[*]}"
}
