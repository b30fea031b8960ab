#!/usr/bin/env bash
# What would be caught: work that a session had once shown and that is gone from the host after the session deleted,
# rewound or renamed a branch.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/session.sh"

make_project
start alpha
deleted=$(commit alpha code deleted gone)
rewound=$(commit alpha code rewound amended)
renamed=$(commit alpha code topic renamed)
inside alpha code 'echo work >work.txt'
git scad session snapshot -q alpha
git -C "$code" fetch -q scad/alpha
expect_tip "$code" scad/alpha/topic "$renamed"
wip=$(tip "$code" refs/scad-session/alpha/wip)

inside alpha code '
    git branch -q -D deleted
    git update-ref refs/heads/rewound HEAD
    git branch -q -m topic topic/y
    rm work.txt
    git update-ref -d refs/scad/wip
    git reflog expire --expire=all --all
    git gc -q --prune=now'
git -C "$code" fetch -q scad/alpha
expect_tip "$code" scad/alpha/topic/y "$renamed"
expect_tip "$code" scad/alpha/deleted ""
expect_tip "$code" scad/alpha/rewound "$(tip "$code" main)"

# The quarantine keeps what was let go, each time under a number of its own; the host gets it by code fetch.
kept() { git -C "$code" for-each-ref --format='%(objectname) %(refname)' refs/scad-session/alpha/lost | sort; }
expect_same "" "$(kept)"
git -C "$code" ls-remote scad/alpha 'refs/session-lost/*' >"$trash/lost"
expect_match "^$deleted.refs/session-lost/1/deleted$" "$trash/lost"
expect_match "^$rewound.refs/session-lost/1/rewound$" "$trash/lost"
expect_match "^$wip.refs/session-lost/1/wip$" "$trash/lost"
git scad code fetch -q alpha
expect_match "^$deleted refs/scad-session/alpha/lost/1/deleted$" "$(kept)"
expect_match "^$rewound refs/scad-session/alpha/lost/1/rewound$" "$(kept)"
expect_match "^$wip refs/scad-session/alpha/lost/1/wip$" "$(kept)"

# A second time, and a third that only rm sees.
again=$(commit alpha code rewound twice)
git -C "$code" fetch -q scad/alpha
inside alpha code 'git update-ref refs/heads/rewound HEAD'
git scad code fetch -q alpha
expect_match "^$again refs/scad-session/alpha/lost/2/rewound$" "$(kept)"
last=$(commit alpha code rewound thrice)
git -C "$code" fetch -q scad/alpha
inside alpha code 'git branch -q -D rewound'
git scad session rm -q alpha
expect_match "^$last refs/scad-session/alpha/lost/3/rewound$" "$(kept)"
expect_match "^$deleted refs/scad-session/alpha/lost/1/deleted$" "$(kept)"
git -C "$code" fsck --connectivity-only >"$out" 2>&1

# Nothing new lets nothing go.
git scad session undelete alpha
git scad code fetch -q alpha
expect_same 5 "$(kept | wc -l)"
