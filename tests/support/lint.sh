#!/usr/bin/env bash
# Everything that is said about the code without running it. Started by `./run lint` at the top of the tree,
# in an environment where the packages are there; takes the build folder, configured and built with warnings
# as errors.
set -euo pipefail
build=${1:?usage: lint.sh <build folder>}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/scad-lint
jobs=$(nproc)

say() { printf '==> %s\n' "$*" >&2; }

say "format"
folders=(git-scad remote-helper tests)
[[ ! -d hooks ]] || folders+=(hooks)
find "${folders[@]}" -name '*.cc' -print0 -o -name '*.h' -print0 |
    xargs -0 clang-format --dry-run -Werror

say "shell scripts"
find ./run ./.ci/run ./tests -name '*.sh' -print0 -o -name run -print0 |
    xargs -0 -n 8 -P "$jobs" shellcheck --severity=warning --external-sources --source-path=SCRIPTDIR --source-path=tests/support

say "layers"
"$build/bin/unit_tests" --warn NoTests '[layers]' >/dev/null || {
    "$build/bin/unit_tests" '[layers]' >&2
    exit 1
}

say "headers alone"
ninja -C "$build" -j"$jobs" all_verify_interface_header_sets

# A file whose text, whose headers of ours and whose rules have passed before passes again.
say "clang-tidy"
mkdir -p "$cache"
find "$cache" -type f -mtime +30 -delete
rules=$(cat .clang-tidy CMakeLists.txt ./*/CMakeLists.txt && clang-tidy --version)
pending=()
while read -r -a files; do
    key=$({ printf '%s\n' "$rules" && cat "${files[@]}"; } | sha256sum | cut -d' ' -f1)
    if [[ -e $cache/$key ]]; then
        touch "$cache/$key"
    else
        pending+=("${files[0]}" "$cache/$key")
    fi
done < <(
    # One line a source: itself, then the headers of ours that it read when it was compiled.
    ninja -C "$build" -t deps | awk -v top="$PWD/" -v build="$(realpath "$build")/" '
        function flush() { if (line ~ /^[^ ]*\.cc( |$)/) print line; line = "" }
        /^[^ ]/ { flush() }
        /^ / {
            path = $1
            if (index(path, "/") != 1) path = build path
            while (sub(/[^\/]+\/\.\.\//, "", path)) {}
            if (index(path, build) == 1 || index(path, top) != 1) next
            line = line (line == "" ? "" : " ") substr(path, length(top) + 1)
        }
        END { flush() }' | sort -u
)
printf '%d of the sources have changed\n' $((${#pending[@]} / 2)) >&2
[[ ${#pending[@]} -gt 0 ]] || exit 0
# shellcheck disable=SC2016 # the inner shell expands
printf '%s\0' "${pending[@]}" |
    xargs -0r -n2 -P"$jobs" bash -c '
        clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p "$0" "$1" 2> >(grep -v "warnings\? generated" >&2) && touch "$2"' "$build"
