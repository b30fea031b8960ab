#include "engine/transfer/stream.h"
#include "engine/transfer/transfer.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

namespace scad::transfer {

namespace {

constexpr std::string_view temporary_prefix = ".scad-cp-";
constexpr std::uint64_t most_entries = 5'000'000;
constexpr std::uint64_t spare_room = std::uint64_t{64} << 20;    // bytes that stay free
constexpr std::uint64_t room_interval = std::uint64_t{16} << 20; // bytes between two looks at it

bool is_entry_name(std::string_view name) {
    return !name.empty() && name.size() <= name_limit && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool has_control(std::string_view name) {
    return std::any_of(name.begin(), name.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_dot_git(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return name == ".git";
}

// Whether a link `depth` folders below the top of what is copied stays inside of it; taken by its words.
bool stays_inside(std::string_view target, std::size_t depth) {
    if (target.empty() || target.front() == '/' || target.find('\0') != std::string_view::npos) return false;
    std::size_t level = depth;
    while (!target.empty()) {
        const auto slash = target.find('/');
        const auto part = target.substr(0, slash);
        if (part == "..") {
            if (level == 0) return false;
            --level;
        } else if (!part.empty() && part != ".") {
            ++level;
        }
        target.remove_prefix(slash == std::string_view::npos ? target.size() : slash + 1);
    }
    return true;
}

// Without following a link, and only so deep: what lies deeper stays.
void remove_entry(int parent, const char* name, std::size_t depth) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT || depth > depth_limit + 50) return;
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view child = entry->d_name;
        if (child != "." && child != "..") remove_entry(fd, entry->d_name, depth + 1);
    }
    ::unlinkat(parent, name, AT_REMOVEDIR);
}

// What receivers that were killed left in a folder: nobody holds its lock.
void sweep(int folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(
        ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), ::closedir);
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream.get())) {
        if (!std::string_view(entry->d_name).starts_with(temporary_prefix)) continue;
        const Owned fd(::openat(folder, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) remove_entry(folder, entry->d_name, 0);
    }
}

std::string temporary_name() {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) throw Failure("no random numbers");
    return std::string(temporary_prefix) + std::to_string(random);
}

// Where it goes: a folder, and the name in it.
struct Place {
    Owned folder;
    std::string name;
    std::string path;
};

Place find_place(const ReceiveOptions& options) {
    const std::string& path = options.destination;
    Place place{Owned(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), options.name, path};
    if (place.folder) {
        if (place.path.back() != '/') place.path += '/';
        place.path += place.name;
    } else {
        if (errno != ENOENT && errno != ENOTDIR) throw Failure(with_errno("cannot open '" + path + "'"));
        if (path.empty() || path.back() == '/') throw Failure("there is no folder '" + path + "'");
        place.name = base_name(path);
        const auto slash = path.rfind('/');
        const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
        place.folder = Owned(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!place.folder) throw Failure(with_errno("cannot open the folder '" + parent + "'"));
    }
    if (!is_entry_name(place.name)) throw Failure("'" + place.name + "' cannot be a name");
    if (options.guarded && is_dot_git(place.name))
        throw Failure("what comes out of a session cannot be called '.git'");
    return place;
}

class Receiver {
  public:
    Receiver(int in, const ReceiveOptions& options, const Progress& progress)
        : reader_(in, [this] { tell(); }),
          options_(options),
          progress_(progress),
          place_(find_place(options)) {
        mask_ = ::umask(0);
        ::umask(mask_);
        sweep(place_.folder.get());
    }
    ~Receiver() {
        levels_.clear();
        if (!temporary_.empty()) remove_entry(place_.folder.get(), temporary_.c_str(), 0);
    }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    Received run() {
        std::string first(magic.size(), '\0');
        reader_.get(first.data(), first.size());
        if (first != magic) throw Failure("what comes is of another version");
        bool done = false;
        while (!done) done = take(reader_.kind());
        if (temporary_.empty() || !levels_.empty()) throw Failure("what comes is malformed");
        give_name();
        return {totals_, place_.path};
    }

  private:
    // A folder that is being filled.
    struct Level {
        Owned fd;
        Attributes attributes;
        unsigned git_parts = 0;
    };

    void tell() const {
        if (!progress_(totals_)) throw Failure("interrupted");
    }

    // True at the end.
    bool take(Kind kind) {
        switch (kind) {
            case Kind::folder:
                take_folder();
                break;
            case Kind::up:
                take_up();
                break;
            case Kind::file:
                take_file();
                break;
            case Kind::link:
                take_link();
                break;
            case Kind::special:
                ++totals_.special;
                break;
            case Kind::failure:
                throw Failure(reader_.text(text_limit));
            case Kind::end:
                return true;
        }
        if (++entries_ > most_entries) throw Failure("there are too many files");
        tell();
        return false;
    }

    // The name of the next entry in its folder; empty: it is left out.
    std::string take_name() {
        std::string name = reader_.text(name_limit);
        if (skipped_ > 0) return {};
        if (levels_.empty()) { // the top: it is called as the person said
            if (!temporary_.empty()) throw Failure("what comes is malformed");
            temporary_ = temporary_name();
            return temporary_;
        }
        if (!is_entry_name(name)) throw Failure("what comes is malformed");
        if (options_.guarded && has_control(name)) {
            ++totals_.names;
            return {};
        }
        if (options_.guarded && makes_git_directory(name)) {
            ++totals_.git;
            return {};
        }
        return name;
    }

    // What git needs to take a folder for a repository (gitrepository-layout(5)): the part that would
    // complete it stays out.
    bool makes_git_directory(const std::string& name) {
        if (is_dot_git(name)) return true;
        constexpr unsigned head = 1, objects = 2, refs = 4, common = 8;
        unsigned part = 0;
        if (name == "HEAD") part = head;
        if (name == "objects") part = objects;
        if (name == "refs") part = refs;
        if (name == "commondir") part = common;
        const unsigned all = levels_.back().git_parts | part;
        if (part != 0 && ((all & (head | objects | refs)) == (head | objects | refs) ||
                          (all & (head | common)) == (head | common)))
            return true;
        levels_.back().git_parts = all;
        return false;
    }

    int here() const { return levels_.empty() ? place_.folder.get() : levels_.back().fd.get(); }

    void take_folder() {
        const std::string name = take_name();
        const Attributes attributes = reader_.attributes();
        if (levels_.size() + skipped_ >= depth_limit) throw Failure("what comes lies too deep");
        if (name.empty()) {
            ++skipped_;
            return;
        }
        if (::mkdirat(here(), name.c_str(), 0700) != 0) throw Failure(with_errno("cannot make a folder"));
        Owned fd(::openat(here(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) throw Failure(with_errno("cannot open a folder"));
        if (levels_.empty() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
            throw Failure(with_errno("cannot lock a folder"));
        if (levels_.empty()) top_ = Owned(::dup(fd.get())); // keeps the lock
        levels_.push_back({std::move(fd), attributes});
        ++totals_.folders;
    }

    void take_up() {
        if (skipped_ > 0) {
            --skipped_;
            return;
        }
        if (levels_.empty()) throw Failure("what comes is malformed");
        finish(levels_.back().fd.get(), levels_.back().attributes, 0700);
        levels_.pop_back();
    }

    void take_file() {
        const std::string name = take_name();
        const Attributes attributes = reader_.attributes();
        Owned fd;
        if (!name.empty()) {
            fd = Owned(
                ::openat(here(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
            if (!fd) throw Failure(with_errno("cannot make a file"));
            if (levels_.empty()) ::flock(fd.get(), LOCK_EX | LOCK_NB);
        }
        std::uint64_t size = 0;
        for (;;) {
            const std::uint32_t piece = reader_.number();
            if (piece > piece_limit) throw Failure("what comes is malformed");
            if (piece == 0) break;
            reader_.get(piece_.data(), piece);
            account(piece);
            if (fd) write_piece(fd.get(), size, piece);
            size += piece;
        }
        if (!fd) return;
        if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) throw Failure(with_errno("cannot write"));
        finish(fd.get(), attributes, 0600);
        if (levels_.empty()) {
            if (::fsync(fd.get()) != 0) throw Failure(with_errno("cannot write"));
            top_ = std::move(fd);
        }
        ++totals_.files;
    }

    void take_link() {
        if (levels_.empty() && skipped_ == 0) throw Failure("what comes is malformed");
        const std::string name = take_name();
        const std::string target = reader_.text(text_limit);
        if (name.empty()) return;
        if (!stays_inside(target, levels_.size() - 1)) {
            ++totals_.links;
            return;
        }
        if (::symlinkat(target.c_str(), here(), name.c_str()) != 0)
            throw Failure(with_errno("cannot make a link"));
        ++totals_.files;
    }

    void account(std::uint32_t piece) {
        totals_.bytes += piece;
        if (totals_.bytes > options_.most_bytes) throw Failure("there is more than the limit");
        if (totals_.bytes >= next_look_) {
            next_look_ = totals_.bytes + room_interval;
            struct statvfs room {};
            if (::fstatvfs(place_.folder.get(), &room) == 0 &&
                static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize < spare_room)
                throw Failure("the disk is nearly full");
        }
        tell();
    }

    // Holes stay holes.
    void write_piece(int fd, std::uint64_t at, std::uint32_t size) {
        const char* data = piece_.data();
        if (std::all_of(data, data + size, [](char c) { return c == 0; })) return;
        for (std::uint32_t done = 0; done < size;) {
            const ssize_t count = ::pwrite(fd, data + done, size - done, static_cast<off_t>(at + done));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) throw Failure(with_errno("cannot write"));
            done += static_cast<std::uint32_t>(count);
        }
    }

    void finish(int fd, const Attributes& attributes, unsigned always) const {
        const timespec times[2] = {
            {0, UTIME_OMIT},
            {attributes.seconds, static_cast<long>(attributes.nanoseconds % 1'000'000'000U)}};
        ::futimens(fd, times); // some file systems know no such time
        if (::fchmod(fd, (attributes.mode & 0777U & ~mask_) | always) != 0)
            throw Failure(with_errno("cannot set permissions"));
    }

    void give_name() {
        const int folder = place_.folder.get();
        struct stat made {};
        struct stat there {};
        if (::fstat(top_.get(), &made) != 0) throw Failure(with_errno("cannot look at what was made"));
        const bool exists = ::fstatat(folder, place_.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
        if (exists && S_ISDIR(there.st_mode)) throw Failure("'" + place_.path + "' is a folder already");
        if (exists && S_ISDIR(made.st_mode)) throw Failure("'" + place_.path + "' is there already");
        const unsigned flags = exists ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
        if (::renameat2(folder, temporary_.c_str(), folder, place_.name.c_str(), flags) != 0)
            throw Failure(with_errno("cannot name it '" + place_.path + "'"));
        temporary_.clear();
        ::fsync(folder);
    }

    Reader reader_;
    const ReceiveOptions& options_;
    const Progress& progress_;
    Place place_;
    mode_t mask_ = 0;
    std::string temporary_; // what is there to be removed
    Owned top_;
    std::vector<Level> levels_;
    std::size_t skipped_ = 0; // levels inside of a folder that is left out
    std::uint64_t entries_ = 0;
    std::uint64_t next_look_ = 0;
    Totals totals_;
    std::vector<char> piece_ = std::vector<char>(piece_limit);
};

} // namespace

Received receive(int in, const ReceiveOptions& options, const Progress& progress) {
    return Receiver(in, options, progress).run();
}

} // namespace scad::transfer
