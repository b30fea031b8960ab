#include "base/device.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::base {

namespace {

// Patterns of glob_match(). Serial ports (ttyS0, ttyUSB0, ttyACM0) are no terminals in this sense.
constexpr std::array terminals = {"/dev/tty",  "/dev/tty[0-9]*", "/dev/console",
                                  "/dev/ptmx", "/dev/pts/*",     "/dev/vcs*"};
constexpr std::array host_itself = {"/dev/mem",   "/dev/kmem",   "/dev/port", "/dev/kmsg",
                                    "/dev/nvram", "/dev/uinput", "/dev/vhci"};

} // namespace

std::string device_problem(const std::string& path) {
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error).native();
    if (error) return "no such device";
    const auto is_one_of = [&](const auto& patterns) {
        return std::any_of(patterns.begin(), patterns.end(),
                           [&](const char* pattern) { return glob_match(pattern, real); });
    };
    struct stat status {};
    if (!real.starts_with("/dev/") || ::stat(real.c_str(), &status) != 0)
        return fmt::format("it leads to '{}', which is not below '/dev'", real);
    if (S_ISDIR(status.st_mode)) return "it is a directory; name the devices in it";
    if (S_ISBLK(status.st_mode)) return "it is a disk: who reads it reads every file of it";
    if (!S_ISCHR(status.st_mode)) return "it is no device";
    if (is_one_of(terminals)) return "it is a terminal of the host's; a session has its own";
    if (is_one_of(host_itself)) return "it leads to the host itself";
    if (::access(real.c_str(), R_OK) != 0 && ::access(real.c_str(), W_OK) != 0)
        return fmt::format("you cannot open it: {}", errno_text(errno));
    return {};
}

} // namespace scad::base
