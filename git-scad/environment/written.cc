#include "environment/written.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_named = 20;
constexpr std::size_t most_made = 1000;
constexpr off_t most_compared = off_t{16} << 20; // a larger file that was written counts as changed

class Comparison {
  public:
    Comparison(const fs::path& upper, const std::vector<InputFile>& tracked, const std::string& repo,
               const Sources& sources, std::vector<std::string>& made)
        : upper_(upper), repo_(repo), sources_(sources), made_(made) {
        for (const InputFile& file : tracked) {
            files_.emplace(file.path, &file);
            for (auto slash = file.path.find('/'); slash != std::string::npos;
                 slash = file.path.find('/', slash + 1))
                directories_.insert(file.path.substr(0, slash));
        }
    }

    std::vector<std::string> run() {
        std::vector<std::string> pending = {""};
        while (!pending.empty()) {
            const std::string directory = std::move(pending.back());
            pending.pop_back();
            std::error_code error;
            const fs::path place = upper_ / directory;
            for (fs::directory_iterator entry(place, error), end; !error && entry != end;
                 entry.increment(error)) {
                std::string path = directory.empty() ? "" : directory + "/";
                path += entry->path().filename().native();
                if (look_at(entry->path(), path)) pending.push_back(std::move(path));
            }
            if (error) throw system_error(error.value(), "cannot read '{}'", place.native());
        }
        std::sort(over_.begin(), over_.end());
        if (over_.size() > most_named) over_.resize(most_named);
        return std::move(over_);
    }

  private:
    // Whether to go into it.
    bool look_at(const fs::path& place, const std::string& path) {
        struct stat status {};
        if (::lstat(place.c_str(), &status) != 0)
            throw system_error(errno, "cannot look at '{}'", place.native());
        const bool is_directory = S_ISDIR(status.st_mode);
        if (path == ".git") {
            over_.push_back(path);
        } else if (const auto file = files_.find(path); file != files_.end()) {
            if (is_as_tracked(place, status, *file->second)) {
                if (::unlink(place.c_str()) != 0)
                    throw system_error(errno, "cannot remove '{}'", place.native());
            } else {
                over_.push_back(path);
            }
        } else if (directories_.contains(path)) {
            // Whatever mode the step gave it: in a session that of the base tree counts.
            if (is_directory && !is_opaque(place) && ::chmod(place.c_str(), 0755) == 0) return true;
            over_.push_back(path);
        } else if (made_.size() < most_made) {
            made_.push_back(path);
        }
        return false;
    }

    // It took the place of the directory that was there.
    static bool is_opaque(const fs::path& directory) {
        char value = 0;
        return ::lgetxattr(directory.c_str(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
    }

    bool is_as_tracked(const fs::path& place, const struct stat& status, const InputFile& file) const {
        const bool executable = (status.st_mode & 0100) != 0;
        if (!S_ISREG(status.st_mode) || status.st_size > most_compared || file.mode == "120000" ||
            executable != (file.mode == "100755") || (status.st_mode & 0400) == 0)
            return false;
        const auto content = sources_.read(repo_, {file.path});
        const base::Fd fd = base::open_file(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        return content.front() && *content.front() == base::read_all(fd.get(), most_compared, place.native());
    }

    const fs::path& upper_;
    const std::string& repo_;
    const Sources& sources_;
    std::vector<std::string>& made_;
    std::unordered_map<std::string, const InputFile*> files_;
    std::unordered_set<std::string> directories_;
    std::vector<std::string> over_;
};

} // namespace

std::vector<std::string> written_over(const fs::path& upper, const std::vector<InputFile>& tracked,
                                      const std::string& repo, const Sources& sources,
                                      std::vector<std::string>& made) {
    return Comparison(upper, tracked, repo, sources, made).run();
}

} // namespace scad::environment
