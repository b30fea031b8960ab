#include "engine/init/stage_plan.h"

#include "engine/init/modes.h"
#include "engine/init/system.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <memory>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scad::init {

namespace {

constexpr std::string_view empty_directory = "empty";
constexpr std::string_view empty_file = "null";

std::string at_stage(std::string_view slot) {
    return std::string(engine::stage::stage_directory) + "/" + std::string(slot);
}
std::string by_descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// One operation with its sources opened: they are opened before the stage covers anything, and after the new
// mount name space is there, because a mount can only be made of what is mounted in one's own.
struct Prepared {
    const engine::stage::Operation* operation = nullptr;
    int source = -1;
    std::vector<int> lowers;
    int upper = -1, work = -1, git = -1, watch = -1;
};

int number_of(std::string_view word) {
    auto number = parse_number(word);
    errno = EINVAL;
    if (!number || *number > 1U << 20) die("malformed plan");
    return static_cast<int>(*number);
}

int open_source(const std::string& path, int flags) {
    int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC | flags);
    if (fd < 0) die("cannot open '" + path + "'");
    return fd;
}

// Without following a link in any part of the path.
int open_exact(const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
    how.resolve = RESOLVE_NO_SYMLINKS;
    int fd = static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
    if (fd < 0 && errno == ELOOP)
        die("'" + path + "' is or lies below a link, which was not there when it was chosen");
    if (fd < 0) die("cannot open '" + path + "'");
    return fd;
}

// The outer user name space: the caller is its root, so that overlays can be mounted; no job ever enters it.
void enter_name_spaces() {
    uid_t uid = ::geteuid();
    gid_t gid = ::getegid();
    // The caller's session keyring stays outside. Fails only where the kernel has no keyrings, and then there
    // is none to hide.
    ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "scad");
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) != 0) die("cannot make a user name space");
    auto write_file = [](const char* path, const std::string& text) {
        int fd = ::open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || !write_whole(fd, text.data(), text.size()))
            die(std::string("cannot write '") + path + "'");
        ::close(fd);
    };
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
    // A segment of shared memory goes with the last process that uses it (proc_sys_kernel(5)): one that
    // nobody has is nobody's in the eyes of the watch over memory, and would outlive its job. Without it
    // there are none such in this kernel, or it is read-only here already.
    if (int fd = ::open("/proc/sys/kernel/shm_rmid_forced", O_WRONLY | O_CLOEXEC); fd >= 0) {
        write_whole(fd, "1", 1);
        ::close(fd);
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) die("cannot make mounts private");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // forgotten at a change of capabilities
}

Prepared prepare(const engine::stage::Operation& operation) {
    Prepared prepared;
    prepared.operation = &operation;
    if (operation[0] != "overlay") {
        if (operation.size() > 4) die("malformed plan");
        prepared.source =
            operation[0] == "bind-exact" ? open_exact(operation[2], 0) : open_source(operation[2], 0);
        if (operation.size() == 4) {
            if (!operation[3].starts_with("git=")) die("malformed plan");
            prepared.git = open_source(operation[3].substr(4), O_DIRECTORY | O_NOFOLLOW);
        }
        return prepared;
    }
    for (std::size_t i = 2; i < operation.size(); ++i) {
        std::string_view word = operation[i];
        std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) die("malformed plan");
        std::string_view name = word.substr(0, equals);
        std::string value(word.substr(equals + 1));
        if (name == "lower")
            prepared.lowers.push_back(open_source(value, O_DIRECTORY));
        else if (name == "exact")
            prepared.lowers.push_back(open_exact(value, O_DIRECTORY));
        else if (name == "upper")
            prepared.upper = open_source(value, O_DIRECTORY | O_NOFOLLOW);
        else if (name == "work")
            prepared.work = open_source(value, O_DIRECTORY | O_NOFOLLOW);
        else if (name == "git")
            prepared.git = open_source(value, O_DIRECTORY | O_NOFOLLOW);
        else if (name == "watch")
            prepared.watch = number_of(value);
        else
            die("malformed plan");
    }
    if (prepared.lowers.empty()) die("malformed plan");
    return prepared;
}

// A copy of the mount that `source` is on, from there down, is put on `target` (open_tree(2), move_mount(2)):
// no path is walked.
bool attach(int source, unsigned flags, int target) {
    int tree = static_cast<int>(
        ::syscall(SYS_open_tree, source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags));
    if (tree < 0) return false;
    long result =
        ::syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    int error = errno;
    ::close(tree);
    errno = error;
    return result == 0;
}

// The directory ".git" of the working tree, whatever that holds at that name: a session can have
// put a link or a FIFO there while it was not mounted over. It is looked at without following anything, and
// what is no directory goes.
int git_mount_point(int root, const std::string& slot) {
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    for (int attempt = 0; attempt < 2; ++attempt) {
        int fd = static_cast<int>(::syscall(SYS_openat2, root, ".git", &how, sizeof how));
        if (fd >= 0) {
            struct stat status {};
            if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return fd;
            ::close(fd);
            if (::unlinkat(root, ".git", 0) != 0)
                die("cannot remove what is in the place of '.git' in mount " + slot);
        } else if (errno != ENOENT) {
            die("cannot open '.git' of mount " + slot);
        }
        if (::mkdirat(root, ".git", 0755) != 0) die("cannot make '.git' in mount " + slot);
    }
    die("cannot make '.git' in mount " + slot);
}

void attach_git(int git, int root, const std::string& slot) {
    int target = git_mount_point(root, slot);
    if (!attach(git, 0, target)) die("cannot attach '.git' of mount " + slot);
    ::close(target);
}

void make_bind(const Prepared& prepared) {
    const std::string& slot = (*prepared.operation)[1];
    const std::string& source = (*prepared.operation)[2];
    std::string place = at_stage(slot);
    struct stat status {};
    if (::fstat(prepared.source, &status) != 0) die("cannot look at '" + source + "'");
    errno = ENODEV;
    if ((*prepared.operation)[0] == "device" && !S_ISCHR(status.st_mode)) die("cannot use '" + source + "'");
    int made =
        S_ISDIR(status.st_mode) ? ::mkdir(place.c_str(), 0755) : ::mknod(place.c_str(), S_IFREG | 0644, 0);
    if (made != 0) die("cannot make '" + place + "'");
    int target = open_source(place, O_NOFOLLOW);
    if (!attach(prepared.source, AT_RECURSIVE, target)) die("cannot bind '" + source + "'");
    ::close(target);
    if (prepared.git < 0) return;
    int root = open_source(place, O_DIRECTORY | O_NOFOLLOW);
    attach_git(prepared.git, root, slot);
    ::close(root);
}

void make_overlay(const Prepared& prepared) {
    const std::string& slot = (*prepared.operation)[1];
    std::string place = at_stage(slot);
    if (::mkdir(place.c_str(), 0755) != 0) die("cannot make '" + place + "'");
    // Descriptors instead of paths: nothing needs to be escaped, and no path of the host can be read in the
    // sandbox's mountinfo.
    std::string options = "userxattr,lowerdir=";
    if (prepared.upper < 0)
        options += at_stage(empty_directory) +
                   ":"; // two layers at least: so sockets and FIFOs of the lower are dead
    for (std::size_t i = 0; i < prepared.lowers.size(); ++i)
        options += (i > 0 ? ":" : "") + by_descriptor(prepared.lowers[i]);
    if (prepared.upper >= 0)
        options += ",upperdir=" + by_descriptor(prepared.upper) + ",workdir=" + by_descriptor(prepared.work) +
                   ",index=on";
    unsigned long flags =
        MS_NOSUID | MS_NODEV | (prepared.upper < 0 ? static_cast<unsigned long>(MS_RDONLY) : 0UL);
    // index=on makes the kernel refuse (EBUSY) an upper layer that is still mounted elsewhere: the end of a
    // former sandbox takes a moment.
    timespec pause{0, 1'000'000};
    for (int attempt = 0;; ++attempt) {
        if (::mount("overlay", place.c_str(), "overlay", flags, options.c_str()) == 0) break;
        if (errno != EBUSY) die("cannot mount overlay " + slot);
        if (attempt == 500) die("the upper layer of overlay " + slot + " is still mounted elsewhere");
        ::nanosleep(&pause, nullptr);
        pause.tv_nsec = std::min<long>(pause.tv_nsec * 2, 20'000'000);
    }
    int root = open_source(place, O_DIRECTORY | O_NOFOLLOW);
    if (prepared.git >= 0) attach_git(prepared.git, root, slot);
    // Told to the starter when the file system has let go of its layers (inotify(7), IN_UNMOUNT). Without it
    // one only knows by trying again.
    if (prepared.watch >= 0) ::inotify_add_watch(prepared.watch, place.c_str(), IN_DELETE_SELF | IN_ONLYDIR);
    ::close(root);
}

void make_stage() {
    std::string stage(engine::stage::stage_directory);
    if (::mount("tmpfs", stage.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0)
        die("cannot mount a tmpfs");
    if (::mkdir(at_stage(empty_directory).c_str(), 0555) != 0) die("cannot make a directory on the stage");
    int fd = ::open(at_stage(empty_file).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0) die("cannot make a file on the stage");
    ::close(fd);
}

[[noreturn]] void become(const engine::stage::Operation& operation) {
    if (operation.size() < 3) die("malformed plan");
    std::vector<char*> arguments;
    arguments.push_back(const_cast<char*>(operation[1].c_str()));
    for (std::size_t i = 3; i < operation.size(); ++i)
        arguments.push_back(const_cast<char*>(operation[i].c_str()));
    arguments.push_back(nullptr);
    char path[] =
        "PATH=/usr/bin:/bin"; // the whole environment: bubblewrap's own would show in /proc/1/environ
    char* variables[] = {path, nullptr};
    // bubblewrap asks for this signal itself, once its child has been told to go on. Before that the signal
    // would leave the child waiting for ever; without it both go on, and process 1 ends at the end of its
    // socket.
    ::prctl(PR_SET_PDEATHSIG, 0);
    ::execve(operation[1].c_str(), arguments.data(), variables);
    die("cannot start '" + operation[1] + "'");
}

} // namespace

int run_stage(const Arguments& words) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    errno = 0;
    if (words.size() != 1) return complain("usage: scad-init stage <descriptor>", 2);
    int plan = number_of(words[0]);
    ::fcntl(plan, F_SETFD, FD_CLOEXEC);
    std::string text;
    if (!read_whole(plan, text, std::size_t{8} << 20)) die("cannot read the plan");
    auto operations = engine::stage::decode(text);
    errno = 0;
    if (!operations) die("the plan is of another version");
    for (const auto& operation : *operations)
        if (operation.size() == 2 && operation[0] == "wait") {
            char byte = 0;
            int fd = number_of(operation[1]);
            while (::read(fd, &byte, 1) < 0 && errno == EINTR) continue;
            ::close(fd);
        }
    enter_name_spaces();
    std::vector<Prepared> prepared;
    for (const auto& operation : *operations)
        if (operation.size() >= 3 && (operation[0] == "bind" || operation[0] == "bind-exact" ||
                                      operation[0] == "device" || operation[0] == "overlay"))
            prepared.push_back(prepare(operation));
    make_stage();
    for (const Prepared& one : prepared) {
        if ((*one.operation)[0] == "overlay")
            make_overlay(one);
        else
            make_bind(one);
        if (one.watch >= 0) ::fcntl(one.watch, F_SETFD, FD_CLOEXEC);
    }
    for (const auto& operation : *operations)
        if (operation[0] == "run") become(operation);
    return 0; // a plan without `run` only tries the mounts
}

} // namespace scad::init
