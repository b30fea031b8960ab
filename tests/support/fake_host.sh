# shellcheck shell=bash disable=SC2154 # world.sh sets what is not set here
# A host with other devices and settings than this one has, for scripts that need them; sourced after world.sh.
# Nothing in the programs knows of it: a mount name space of the test's own shows, at their real places, devices
# that are harmless ones under another name, and files that the script wrote.

fake=$trash/fake-host
fake_nodes=()
mkdir -p "$fake/etc" "$fake/run"

fake_node() { # <path below /dev> <harmless device>
    fake_nodes+=(--dev-bind "$2" "$1")
}

no_nodes() { fake_nodes=(); }

# on_fake_host <command>…: $fake/etc lies over /etc, $fake/run is /run, and /dev holds the usual devices and the fakes.
on_fake_host() {
    local arguments=(--dev-bind / / --dev /dev) entry
    arguments+=("${fake_nodes[@]}" --bind "$fake/run" /run --tmpfs /etc)
    for entry in /etc/* "$fake"/etc/*; do
        [[ -e $entry && -r $entry && (! -e $fake/etc/${entry##*/} || $entry == "$fake"/*) ]] || continue
        arguments+=(--ro-bind "$entry" "/etc/${entry##*/}")
    done
    bwrap "${arguments[@]}" -- "$@"
}
