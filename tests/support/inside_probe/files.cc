// Acts on files: what can be read, written, made or reached by a path.

#include "acts.h"

#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

namespace probe {

namespace {

constexpr long fchmodat2_number = 452;

Result read_file(const Words& words) {
    int fd = ::open(words[0].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return refused();
    char text[4096];
    ssize_t n = ::read(fd, text, sizeof text - 1);
    if (n < 0) return refused();
    errno = ENODATA;
    if (n == 0) return refused();
    std::string seen(text, static_cast<std::size_t>(n));
    return outcome(words.size() < 2 || seen.find(words[1]) != std::string::npos);
}

Result list(const Words& words) {
    DIR* directory = ::opendir(words[0].c_str());
    if (directory == nullptr) return refused();
    std::string names;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.') names += std::string(" ") + entry->d_name;
    ::closedir(directory);
    errno = ENODATA;
    if (names.empty()) return refused();
    say("entries:" + names);
    return Result::open;
}

Result write_file(const Words& words) {
    int fd = ::open(words[0].c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
    return outcome(fd >= 0 && ::write(fd, "scad-was-here\n", 14) == 14);
}

Result truncate_file(const Words& words) { return outcome(::truncate(words[0].c_str(), 0) == 0); }
Result remove_file(const Words& words) { return outcome(::unlink(words[0].c_str()) == 0); }
Result rename_file(const Words& words) { return outcome(::rename(words[0].c_str(), words[1].c_str()) == 0); }
Result link_file(const Words& words) {
    return outcome(::linkat(AT_FDCWD, words[0].c_str(), AT_FDCWD, words[1].c_str(), AT_SYMLINK_FOLLOW) == 0);
}
Result make_directory(const Words& words) { return outcome(::mkdir(words[0].c_str(), 0755) == 0); }
Result make_symlink(const Words& words) { return outcome(::symlink("/etc/passwd", words[0].c_str()) == 0); }
Result change_times(const Words& words) {
    return outcome(::utimensat(AT_FDCWD, words[0].c_str(), nullptr, 0) == 0);
}
Result change_mode(const Words& words) {
    struct stat status {};
    return outcome(::stat(words[0].c_str(), &status) == 0 &&
                   ::chmod(words[0].c_str(), status.st_mode & 0777) == 0);
}
Result set_attribute(const Words& words) {
    return outcome(::setxattr(words[0].c_str(), words[1].c_str(), "1", 1, 0) == 0);
}

// A file that would give its capabilities to whoever runs it (vfs_cap_data of version 2, CAP_SYS_ADMIN).
Result set_capability(const Words& words) {
    const unsigned char data[20] = {1, 0, 0, 2, 0, 0, 0x20, 0, 0, 0, 0x20, 0};
    return outcome(::setxattr(words[0].c_str(), "security.capability", data, sizeof data, 0) == 0);
}

Result writable_mount(const Words& words) {
    struct statvfs status {};
    if (::statvfs(words[0].c_str(), &status) != 0) return refused();
    errno = EROFS;
    return outcome((status.f_flag & ST_RDONLY) == 0);
}

Result write_fifo(const Words& words) {
    int fd =
        ::open(words[0].c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC); // ENXIO: nobody reads at the other end
    return outcome(fd >= 0 && ::write(fd, "scad-was-here\n", 14) == 14);
}

Result make_device(const Words& words) {
    const mode_t kind = words[0] == "b" ? S_IFBLK : S_IFCHR;
    const auto device =
        ::makedev(static_cast<unsigned>(number(words[1])), static_cast<unsigned>(number(words[2])));
    if (::mknod(words[3].c_str(), kind | 0666, device) != 0) return refused();
    int fd = ::open(words[3].c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return outcome(fd >= 0);
}

Result open_device(const Words& words) {
    int fd = ::open(words[0].c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return outcome(fd >= 0);
}

// Every file below that can be opened for writing.
void find_writable(const std::string& path, int depth, std::string& found) {
    DIR* directory = depth > 12 ? nullptr : ::opendir(path.c_str());
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory)) {
        if (entry->d_name[0] == '.') continue;
        const std::string inner = path + "/" + entry->d_name;
        if (entry->d_type == DT_DIR) find_writable(inner, depth + 1, found);
        if (entry->d_type != DT_REG) continue;
        int fd = ::open(inner.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) continue;
        ::close(fd);
        if (found.size() < 2000) found += " " + inner;
    }
    ::closedir(directory);
}

Result writable_below(const Words& words) {
    std::string found;
    find_writable(words[0], 0, found);
    errno = EACCES;
    if (found.empty()) return refused();
    say("writable:" + found);
    return Result::open;
}

// Ways to a file with the given mode. Each makes it at `path` and returns what the call returned.
struct Way {
    const char* name;
    bool narrow; // by the door of 32-bit programs
    long (*go)(const char* path, long mode);
};

int plain_file(const char* path) {
    ::unlink(path);
    return ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
}

long tmpfile_way(const char* path, long mode, long open_number) {
    std::string directory(path, std::strrchr(path, '/'));
    long fd = open_number == SYS_open
                  ? call(SYS_open, pointer(directory.c_str()), O_TMPFILE | O_RDWR, mode)
                  : call(SYS_openat, AT_FDCWD, pointer(directory.c_str()), O_TMPFILE | O_RDWR, mode);
    if (fd < 0) return -1;
    std::string here = "/proc/self/fd/" + std::to_string(fd);
    return ::linkat(AT_FDCWD, here.c_str(), AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

open_how how_with(long mode) {
    open_how how{};
    how.flags = O_CREAT | O_RDWR;
    how.mode = static_cast<std::uint64_t>(mode);
    return how;
}

const Way ways[] = {
    {"chmod", false,
     [](const char* p, long m) {
         plain_file(p);
         return call(SYS_chmod, pointer(p), m);
     }},
    {"fchmod", false, [](const char* p, long m) { return call(SYS_fchmod, plain_file(p), m); }},
    {"fchmodat", false,
     [](const char* p, long m) {
         plain_file(p);
         return call(SYS_fchmodat, AT_FDCWD, pointer(p), m);
     }},
    {"fchmodat2", false,
     [](const char* p, long m) {
         plain_file(p);
         return call(fchmodat2_number, AT_FDCWD, pointer(p), m, 0);
     }},
    {"open", false, [](const char* p, long m) { return call(SYS_open, pointer(p), O_CREAT | O_RDWR, m); }},
    {"openat", false,
     [](const char* p, long m) { return call(SYS_openat, AT_FDCWD, pointer(p), O_CREAT | O_RDWR, m); }},
    {"openat2", false,
     [](const char* p, long m) {
         auto how = how_with(m);
         return call(SYS_openat2, AT_FDCWD, pointer(p), pointer(&how), sizeof how);
     }},
    {"creat", false, [](const char* p, long m) { return call(SYS_creat, pointer(p), m); }},
    {"mknod", false, [](const char* p, long m) { return call(SYS_mknod, pointer(p), S_IFREG | m); }},
    {"mknodat", false,
     [](const char* p, long m) { return call(SYS_mknodat, AT_FDCWD, pointer(p), S_IFREG | m); }},
    {"tmpfile-open", false, [](const char* p, long m) { return tmpfile_way(p, m, SYS_open); }},
    {"tmpfile-openat", false, [](const char* p, long m) { return tmpfile_way(p, m, SYS_openat); }},
    // High bits that the kernel drops and a careless comparison does not.
    {"chmod-high", false,
     [](const char* p, long m) {
         plain_file(p);
         return call(SYS_chmod, pointer(p), m | (1L << 40) | (1L << 20));
     }},
    {"open-high", false,
     [](const char* p, long m) { return call(SYS_open, pointer(p), O_CREAT | O_RDWR, m | (1L << 40)); }},
    // Numbers of arch/x86/entry/syscalls/syscall_32.tbl.
    {"narrow-chmod", true,
     [](const char* p, long m) {
         plain_file(p);
         return narrow_call(15, low_text(p), m);
     }},
    {"narrow-fchmod", true, [](const char* p, long m) { return narrow_call(94, plain_file(p), m); }},
    {"narrow-fchmodat", true,
     [](const char* p, long m) {
         plain_file(p);
         return narrow_call(306, AT_FDCWD, low_text(p), m);
     }},
    {"narrow-fchmodat2", true,
     [](const char* p, long m) {
         plain_file(p);
         return narrow_call(fchmodat2_number, AT_FDCWD, low_text(p), m, 0);
     }},
    {"narrow-open", true,
     [](const char* p, long m) { return narrow_call(5, low_text(p), O_CREAT | O_RDWR, m); }},
    {"narrow-openat", true,
     [](const char* p, long m) { return narrow_call(295, AT_FDCWD, low_text(p), O_CREAT | O_RDWR, m); }},
    {"narrow-openat2", true,
     [](const char* p, long m) {
         auto how = how_with(m);
         return narrow_call(437, AT_FDCWD, low_text(p), pointer(low(&how, sizeof how)), sizeof how);
     }},
    {"narrow-creat", true, [](const char* p, long m) { return narrow_call(8, low_text(p), m); }},
    {"narrow-mknod", true, [](const char* p, long m) { return narrow_call(14, low_text(p), S_IFREG | m); }},
    {"narrow-mknodat", true,
     [](const char* p, long m) { return narrow_call(297, AT_FDCWD, low_text(p), S_IFREG | m); }},
};

Result make_mode(const Words& words) {
    for (const Way& way : ways) {
        if (words[0] != way.name) continue;
        if (way.narrow && !has_narrow_door()) return Result::absent;
        const auto mode = static_cast<long>(number(words[2]));
        ::umask(0);
        ::unlink(words[1].c_str());
        errno = 0;
        const long result = way.go(words[1].c_str(), mode);
        const int error = errno;
        struct stat status {};
        bool made =
            ::lstat(words[1].c_str(), &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID) & mode) != 0;
        ::unlink(words[1].c_str());
        errno = result < 0 ? error : EPERM;
        return outcome(made);
    }
    say("no such way");
    return Result::absent;
}

Result mode_ways(const Words&) {
    for (const Way& way : ways) say(way.name);
    return Result::open;
}

} // namespace

std::vector<Act> file_acts() {
    return {{"read", 1, "<file> [<text in it>]", read_file},
            {"list", 1, "<directory>", list},
            {"write", 1, "<file>", write_file},
            {"truncate", 1, "<file>", truncate_file},
            {"remove", 1, "<file>", remove_file},
            {"rename", 2, "<from> <to>", rename_file},
            {"link", 2, "<from> <to>", link_file},
            {"mkdir", 1, "<directory>", make_directory},
            {"symlink", 1, "<file>", make_symlink},
            {"times", 1, "<file>", change_times},
            {"chmod", 1, "<file>", change_mode},
            {"setxattr", 2, "<file> <attribute>", set_attribute},
            {"set-capability", 1, "<file>", set_capability},
            {"writable-mount", 1, "<path>", writable_mount},
            {"fifo", 1, "<FIFO>", write_fifo},
            {"make-device", 4, "b|c <major> <minor> <path>", make_device},
            {"open-device", 1, "<device>", open_device},
            {"writable-below", 1, "<directory>", writable_below},
            {"make-mode", 3, "<way> <new file> <mode>", make_mode},
            {"mode-ways", 0, "", mode_ways}};
}

} // namespace probe
