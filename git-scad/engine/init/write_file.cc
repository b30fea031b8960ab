#include "engine/init/modes.h"
#include "engine/init/system.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::init {

namespace {

bool make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) return false;
    return true;
}

bool copy_input(int out) {
    char buffer[65536];
    for (;;) {
        ssize_t n = ::read(0, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) return true;
        if (!write_whole(out, buffer, static_cast<std::size_t>(n))) return false;
    }
}

} // namespace

// This runs inside as an ordinary job, with the rights of any other program there: a link that the session
// planted leads to what the session can write anyway.
int run_write(const Arguments& words) {
    unsigned mode = 0;
    if (words.size() == 2) {
        auto [end, error] = std::from_chars(words[1].data(), words[1].data() + words[1].size(), mode, 8);
        if (error != std::errc{} || end != words[1].data() + words[1].size() || mode > 0777 ||
            words[0].empty())
            mode = 01000;
    }
    errno = 0;
    if (words.size() != 2 || mode > 0777) return complain("usage: scad-init write <path> <mode>", 2);
    std::string path(words[0]);
    if (!make_parents(path)) return complain("cannot make the directory of '" + path + "'");
    std::string temporary = path + ".scad-" + std::to_string(::getpid());
    ::unlink(temporary.c_str());
    int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return complain("cannot make '" + temporary + "'");
    if (!copy_input(fd) || ::fchmod(fd, mode) != 0 || ::fsync(fd) != 0 || ::close(fd) != 0 ||
        ::rename(temporary.c_str(), path.c_str()) != 0) {
        int status = complain("cannot write '" + path + "'");
        ::unlink(temporary.c_str());
        return status;
    }
    return 0;
}

} // namespace scad::init
