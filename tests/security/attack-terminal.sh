#!/usr/bin/env bash
# What would be caught: an escape sequence of a session that reaches the terminal of whoever looks at it: clipboard (OSC 52),
# titles, device control strings, questions whose answers are typed at the user's shell.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"

make_project
git scad build -q atlas
git scad session start -q atlas alpha >/dev/null
export TERM=xterm

attack='\033]52;c;c2VjcmV0\007\033]0;title\033\\\\\033]8;;http://x\033\\\\link\033]8;;\033\\\\'
attack+='\033P+q544e\033\\\\\033_Gi=1\033\\\\\033^pm\033\\\\\033Xsos\033\\\\\033[6n\033[c\033[>c\033[>q\033[14t\033[21t\033[?2026$p'
attack+='\2332J\302\2332J\302\2350;c1\302\234\033[?9001h\033[5i\033[4i\033#8\033c\033[?3h\033(0\016\033[!p'
attack+='\342\200\256rtl\342\200\213\360\237\230\200 wide \033[8;1;1t\033[22;0t'
python3 "$support/on_terminal.py" "$trash/said" git scad session exec -t alpha -- \
    sh -c "printf '$attack'; printf '\033[H\033[2J\033[3;3Hthe \033[1;31mend\033[m'" </dev/null >"$out"
expect_same "terminal: as before" "$(tail -n 1 "$out")"
grep -aq 'end' "$trash/said" || fail "the picture did not come: $(cat -v "$trash/said")"
# Nothing but what a picture needs: moves, styles, clearing, and modes that are put back.
python3 - "$trash/said" <<'END'
import re, sys
said = open(sys.argv[1], "rb").read()
left = re.sub(rb"\x1b\[[0-9;]*[HmKJ]|\x1b\[\?(7|25|1|2004|1004|1049|100[0236](;100[0236])*)[hl]|\x1b[=>]|\x1b\[[0-6] q|[\r\n\a]", b"", said)
left = left.decode("utf-8")
bad = [c for c in left if ord(c) < 32 or 127 <= ord(c) < 160 or ord(c) in (0x202E, 0x200B)]
sys.exit(f"this reached the terminal: {bad} in {left!r}" if bad else 0)
END
# The answers to its questions come from the picture: the program has them, the user's shell does not.
git scad session exec alpha -- sh -c 'cat >/tmp/ask' <<'END'
stty raw -echo min 1
printf '\033[6n'
dd bs=1 count=6 2>/dev/null | od -An -c
END
python3 "$support/on_terminal.py" "$trash/said" git scad session exec -t alpha -- sh /tmp/ask </dev/null >/dev/null
expect_match '033   \[   1   ;   1   R' "$trash/said"
# A terminal without protection does obey.
python3 "$support/on_terminal.py" "$trash/said" sh -c "printf '$attack'" </dev/null >/dev/null
expect_match $'\033]52' "$trash/said"
