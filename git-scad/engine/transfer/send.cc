#include "engine/transfer/stream.h"
#include "engine/transfer/transfer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace scad::transfer {

namespace {

Attributes attributes_of(const struct stat& status) {
    return {static_cast<std::uint32_t>(status.st_mode & 0777U),
            static_cast<std::uint32_t>(status.st_mtim.tv_nsec), status.st_mtim.tv_sec};
}

std::vector<std::string> names_in(int folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(::dup(folder)), ::closedir);
    if (!stream) throw Failure(with_errno("cannot read a folder"));
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

class Sender {
  public:
    Sender(int out, const Progress& progress) : writer_(out, [this] { tell(); }), progress_(progress) {}

    Totals run(const std::string& path) {
        writer_.put(magic.data(), magic.size());
        try {
            send_entry(AT_FDCWD, path, base_name(path), 0);
            writer_.kind(Kind::end);
        } catch (const Failure& failure) {
            try { // the reader may be what has failed
                writer_.kind(Kind::failure);
                writer_.text(std::string_view(failure.what()).substr(0, text_limit));
                writer_.flush();
            } catch (const Failure&) {
            }
            throw;
        }
        writer_.flush();
        return totals_;
    }

  private:
    void tell() {
        if (!progress_(totals_)) throw Failure("interrupted");
    }

    void send_entry(int parent, const std::string& place, const std::string& name, std::size_t depth) {
        // Whatever comes between the look and the opening is seen by the second look, at what was opened.
        struct stat status {};
        if (::fstatat(parent, place.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT && depth > 0) return; // it went meanwhile
            throw Failure(with_errno("cannot look at '" + place + "'"));
        }
        if (S_ISLNK(status.st_mode)) return send_link(parent, place, name, depth);
        if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
            if (depth == 0) throw Failure("'" + place + "' is neither a file nor a folder");
            writer_.kind(Kind::special);
            ++totals_.special;
            return;
        }
        const Owned fd(
            ::openat(parent, place.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        if (!fd || ::fstat(fd.get(), &status) != 0) throw Failure(with_errno("cannot open '" + place + "'"));
        if (S_ISDIR(status.st_mode))
            send_folder(fd.get(), status, name, depth);
        else if (S_ISREG(status.st_mode))
            send_file(fd.get(), status, place, name);
        else
            throw Failure("'" + place + "' was swapped for something else");
        tell();
    }

    void send_link(int parent, const std::string& place, const std::string& name, std::size_t depth) {
        if (depth == 0) throw Failure("'" + place + "' is a link: name what it leads to");
        std::array<char, text_limit> target{};
        const ssize_t size = ::readlinkat(parent, place.c_str(), target.data(), target.size());
        if (size < 0) throw Failure(with_errno("cannot read the link '" + place + "'"));
        writer_.kind(Kind::link);
        writer_.text(name);
        writer_.text({target.data(), static_cast<std::size_t>(size)});
        ++totals_.files;
    }

    void send_folder(int fd, const struct stat& status, const std::string& name, std::size_t depth) {
        if (depth >= depth_limit) throw Failure("'" + name + "' lies too deep");
        writer_.kind(Kind::folder);
        writer_.text(name);
        writer_.attributes(attributes_of(status));
        for (const std::string& entry : names_in(fd)) send_entry(fd, entry, entry, depth + 1);
        writer_.kind(Kind::up);
        ++totals_.folders;
    }

    void send_file(int fd, const struct stat& status, const std::string& place, const std::string& name) {
        writer_.kind(Kind::file);
        writer_.text(name);
        writer_.attributes(attributes_of(status));
        for (;;) {
            const ssize_t count = ::read(fd, piece_.data(), piece_.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) throw Failure(with_errno("cannot read '" + place + "'"));
            writer_.number(static_cast<std::uint32_t>(count));
            if (count == 0) break;
            writer_.put(piece_.data(), static_cast<std::size_t>(count));
            totals_.bytes += static_cast<std::uint64_t>(count);
            tell();
        }
        ++totals_.files;
    }

    Writer writer_;
    const Progress& progress_;
    Totals totals_;
    std::vector<char> piece_ = std::vector<char>(piece_limit);
};

} // namespace

std::string base_name(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const auto slash = path.rfind('/');
    if (slash != std::string::npos) path.erase(0, slash + 1);
    return path == "." || path == ".." ? std::string() : path;
}

Totals send(const std::string& path, int out, const Progress& progress) {
    return Sender(out, progress).run(path);
}

} // namespace scad::transfer
