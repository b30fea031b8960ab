#pragma once

namespace scad::init {

// An overlay file system without redirects (which an unprivileged one must not have) refuses to rename a
// directory that comes from a lower layer (EXDEV; Documentation/filesystems/overlayfs.rst, "Renaming
// directories"): `git mv` and rename(2) fail there. Here such calls are done by moving what is in the
// directory, one by one. The kernel asks for each rename of the programs below (seccomp_unotify(2)); whatever
// is no such directory goes on as it was.
//
// What the caller starts from here on is asked about; itself is not. The answers come from a thread of the
// caller, which has the same rights as what it starts, and begin with answer_renames(): until then a rename
// waits. Returns the descriptor that they come by, for answer_renames(); -1 where the kernel has no such
// filters, and then nothing changes.
int ask_about_renames();

// The caller opens and closes no descriptors that are not its own from here on.
void answer_renames(int descriptor);

} // namespace scad::init
