#!/usr/bin/env python3
"""Runs a command as a person at a terminal would: on_terminal.py <file for all that it wrote> <command>...

Standard input says what the person does, one step a line:
    expect <regular expression>   wait until it matches what the command wrote since the last match
    send <text>                   type it; Python's escapes stand for other bytes
    size <rows> <columns>         change the size of the window
    signal <NAME>                 to the command
The status is the command's (128 + n for a signal); 124 when an expectation is not met within 20 seconds. Whether the
terminal is left as it was is the last line on standard output: "terminal: as before" or "terminal: changed"."""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

log_name, command = sys.argv[1], sys.argv[2:]
steps = [line.rstrip("\n") for line in sys.stdin if line.strip()]


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


master, slave = pty.openpty()
set_size(master, 24, 80)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.closerange(3, 256)
    os.execvp(command[0], command)
log = open(log_name, "wb", buffering=0)
seen = b""


def read_some(seconds):
    global seen
    ready, _, _ = select.select([master], [], [], seconds)
    if ready:
        piece = os.read(master, 65536)
        log.write(piece)
        seen += piece


def give_up(why):
    os.kill(pid, signal.SIGKILL)
    print(why, file=sys.stderr)
    sys.exit(124)


for step in steps:
    word, _, rest = step.partition(" ")
    if word == "expect":
        end = time.monotonic() + 20
        while not (match := re.search(rest.encode(), seen)):
            if time.monotonic() > end:
                give_up(f"waited in vain for {rest}; there was {seen[-2000:]!r}")
            read_some(0.2)
        seen = seen[match.end():]
    elif word == "send":
        data = rest.encode().decode("unicode_escape").encode("latin-1")
        while data:
            data = data[os.write(master, data[:1024]):]
            read_some(0)
    elif word == "size":
        set_size(master, *map(int, rest.split()))
        os.kill(pid, signal.SIGWINCH)
    elif word == "signal":
        os.kill(pid, getattr(signal, rest))
    else:
        give_up(f"what is '{step}'?")
end = time.monotonic() + 20
while True:
    done, status = os.waitpid(pid, os.WNOHANG)
    read_some(0 if done else 0.05)
    if done:
        break
    if time.monotonic() > end:
        give_up(f"it does not end; it wrote {seen[-2000:]!r}")
while select.select([master], [], [], 0)[0]:
    read_some(0)
print("terminal:", "as before" if termios.tcgetattr(slave) == before else "changed")
sys.exit(os.waitstatus_to_exitcode(status) if not os.WIFSIGNALED(status) else 128 + os.WTERMSIG(status))
