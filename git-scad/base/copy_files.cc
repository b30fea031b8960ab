#include "base/copy_files.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace scad::base {

namespace fs = std::filesystem;

namespace {

constexpr int read_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

// Whether a link at `inner` with this target stays below the top, whatever the links on the way: they do too.
bool stays_inside(const fs::path& inner, const fs::path& target) {
    if (target.empty() || target.is_absolute()) return false;
    const auto end = (inner.parent_path() / target).lexically_normal();
    return end.empty() || *end.begin() != "..";
}

class Copy {
  public:
    Copy(const CopyLimits& limits, const std::function<bool(const fs::path&)>& skip)
        : limits_(limits), skip_(skip) {}

    // False when it is past the limits.
    bool run(int top, const fs::path& target) {
        struct stat status {};
        if (::fstat(top, &status) != 0) throw system_error(errno, "cannot read the source of a copy");
        if (S_ISREG(status.st_mode)) return file(top, status, target);
        if (!S_ISDIR(status.st_mode)) {
            ++result_.left_out;
            return true;
        }
        std::vector<fs::path> pending = {""}; // directories; nothing is recursive on the stack
        while (!pending.empty()) {
            const auto inner = std::move(pending.back());
            pending.pop_back();
            if (!directory(top, inner, target, pending)) return false;
        }
        return true;
    }

    CopyResult result() const { return result_; }

  private:
    bool count(std::uint64_t bytes) {
        ++result_.files;
        result_.bytes += bytes;
        return result_.files <= limits_.files && result_.bytes <= limits_.bytes;
    }

    bool directory(int top, const fs::path& inner, const fs::path& target, std::vector<fs::path>& pending) {
        if (!count(0)) return false;
        const auto fd = open(top, inner.empty() ? "." : inner, read_flags | O_DIRECTORY);
        if (!fd) return true;
        const auto made = inner.empty() ? target : target / inner;
        if (::mkdir(made.c_str(), 0700) != 0)
            throw system_error(errno, "cannot make the directory '{}'", made.native());
        for (const auto& name : names(fd)) {
            const auto path = inner / name;
            if (!skip_(path) && !entry(top, path, target / path, pending)) return false;
        }
        return true;
    }

    bool entry(int top, const fs::path& inner, const fs::path& target, std::vector<fs::path>& pending) {
        const auto fd = open(top, inner, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status {};
        if (!fd || ::fstat(fd.get(), &status) != 0) return true;
        if (S_ISDIR(status.st_mode)) {
            pending.push_back(inner);
            return true;
        }
        if (S_ISLNK(status.st_mode)) return link(fd.get(), inner, target);
        if (!S_ISREG(status.st_mode)) {
            ++result_.left_out;
            return true;
        }
        const auto content = open(top, inner, read_flags);
        if (!content || ::fstat(content.get(), &status) != 0 || !S_ISREG(status.st_mode)) return true;
        return file(content.get(), status, target);
    }

    bool link(int fd, const fs::path& inner, const fs::path& target) {
        std::array<char, 4096> text{};
        const auto size = ::readlinkat(fd, "", text.data(), text.size());
        const fs::path to(std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
        if (size <= 0 || static_cast<std::size_t>(size) == text.size() || !stays_inside(inner, to)) {
            ++result_.left_out;
            return true;
        }
        if (!count(0)) return false;
        if (::symlink(to.c_str(), target.c_str()) != 0)
            throw system_error(errno, "cannot make the link '{}'", target.native());
        return true;
    }

    bool file(int source, const struct stat& status, const fs::path& target) {
        if (!count(static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)))) return false;
        const auto mode = (status.st_mode & 0100) != 0 ? 0700 : 0600;
        const auto to =
            open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, static_cast<mode_t>(mode));
        std::array<char, std::size_t{64} << 10> buffer; // NOLINT(*-member-init): filled by read
        for (;;) {
            const auto size = ::read(source, buffer.data(), buffer.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) throw system_error(errno, "cannot read what is copied to '{}'", target.native());
            if (size == 0) return true;
            written_ += static_cast<std::uint64_t>(size); // a file may grow while it is read
            if (written_ > limits_.bytes) return false;
            if (!write_all(to.get(), std::string_view(buffer.data(), static_cast<std::size_t>(size))))
                throw system_error(errno, "cannot write '{}'", target.native());
        }
    }

    // What cannot be opened (any more) is left out.
    Fd open(int top, const fs::path& inner, int flags) {
        try {
            if (auto fd = open_beneath(top, inner, flags)) return std::move(*fd);
        } catch (const Error&) { // no permission, or a link by now
        }
        ++result_.left_out;
        return {};
    }

    static std::vector<std::string> names(const Fd& directory) {
        std::vector<std::string> found;
        const int copy = ::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0);
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
        if (!stream) throw system_error(errno, "cannot read a directory");
        while (const dirent* entry = ::readdir(stream.get())) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") found.emplace_back(name);
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    const CopyLimits& limits_;
    const std::function<bool(const fs::path&)>& skip_;
    CopyResult result_;
    std::uint64_t written_ = 0;
};

} // namespace

CopyResult copy_files(const fs::path& source, const fs::path& target, const CopyLimits& limits,
                      const std::function<bool(const fs::path&)>& skip) {
    const auto root = open_file("/", O_PATH | O_DIRECTORY);
    const auto top = open_beneath(root.get(), source.relative_path(), O_RDONLY | O_NONBLOCK);
    if (!top) throw fatal("there is no '{}'", source.native());
    Copy copy(limits, skip);
    const bool whole = copy.run(top->get(), target);
    auto result = copy.result();
    if (!whole) {
        remove_tree(target);
        result.too_large = true;
    }
    return result;
}

} // namespace scad::base
