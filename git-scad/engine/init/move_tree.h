#pragma once

namespace scad::init {

// rename(2) of a directory on paths relative to directories; 0 or an errno. Where the kernel refuses it
// although both ends lie in one mount, the directory is made anew and what is in it moved, one by one, with
// its mode, times and extended attributes. When that fails, what has been moved is moved back.
int rename_mended(int from_directory, const char* from, int to_directory, const char* to, unsigned flags);

} // namespace scad::init
