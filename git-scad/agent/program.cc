#include "agent/program.h"

#include "agent/package_plan.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/fs.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::agent {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int index_version = 1;
constexpr std::size_t most_files = 300000;
constexpr std::uint64_t most_bytes = std::uint64_t{4} << 30;
constexpr std::size_t copy_piece = std::size_t{1} << 20;
constexpr std::size_t id_length = 40; // hexadecimal digits

struct stat stat_of(const fs::path& path) {
    struct stat result {};
    if (::lstat(path.c_str(), &result) != 0) throw system_error(errno, "cannot look at '{}'", path.string());
    return result;
}

std::string stamp_of(const struct stat& s) {
    return fmt::format("{} {} {} {} {}.{} {}.{}", s.st_dev, s.st_ino, s.st_mode, s.st_size, s.st_mtim.tv_sec,
                       s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
}

// Everything below `top` but version control, parents first; `top` itself as "".
template <class Use> void walk(const fs::path& top, Use use) {
    std::size_t count = 0;
    std::vector<std::string> open = {""};
    while (!open.empty()) {
        auto inside = std::move(open.back());
        open.pop_back();
        auto path = inside.empty() ? top : top / inside;
        auto found = stat_of(path);
        if (++count > most_files) throw fatal("'{}' has too many files for an agent's program", top.string());
        use(inside, path, found);
        if (!S_ISDIR(found.st_mode)) continue;
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path)) {
            auto name = entry.path().filename().string();
            if (name != ".git") names.push_back(inside.empty() ? name : fmt::format("{}/{}", inside, name));
        }
        std::sort(names.begin(), names.end(), std::greater<>());
        open.insert(open.end(), names.begin(), names.end());
    }
}

// Changes when any of the plan's sources does: path, inode, size and times of each file, as make(1) and
// git(1) trust them.
std::string stamp_sources(const std::vector<fs::path>& sources) {
    std::string all;
    for (const auto& source : sources) {
        walk(source, [&](const std::string&, const fs::path& path, const struct stat& found) {
            all += path.string() + '\0' + stamp_of(found) + '\n';
            std::error_code error;
            if (S_ISLNK(found.st_mode)) all += fs::canonical(path, error).string() + '\n';
        });
    }
    return base::sha256_hex(all);
}

// ---- The index: which copy belongs to what is found on the host. It lies beside the store, since the store
// is shown to sessions and host paths are none of their business.

struct IndexEntry {
    std::string name;
    std::string found;
    std::map<std::string, std::string> lookups;
    std::vector<fs::path> sources;
    std::string stamp;
    Program program;
};

fs::path index_path(const fs::path& store) { return store.string() + ".json"; }

json read_index(const fs::path& store) {
    try {
        if (auto document = base::read_document_if_exists(index_path(store), index_version))
            return std::move(*document);
    } catch (const Error&) {
        // It only saves time: a damaged one is made again.
    }
    return {{"version", index_version}, {"programs", json::array()}};
}

std::vector<fs::path> as_paths(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

std::vector<std::string> as_texts(const std::vector<fs::path>& paths) {
    std::vector<std::string> texts;
    texts.reserve(paths.size());
    for (const auto& path : paths) texts.push_back(path.string());
    return texts;
}

std::optional<IndexEntry> parse_entry(const json& object, const fs::path& store) {
    try {
        IndexEntry entry;
        entry.name = base::get_string(object, "name");
        entry.found = base::get_string(object, "found");
        entry.sources = as_paths(base::get_strings(object, "sources"));
        entry.stamp = base::get_string(object, "stamp");
        for (const auto& [name, path] : object.at("lookups").items())
            entry.lookups[name] = path.get<std::string>();
        entry.program = {base::get_string(object, "id"),
                         {},
                         base::get_string(object, "entry"),
                         base::get_strings(object, "path"),
                         entry.found};
        entry.program.directory = store / entry.program.id;
        return entry;
    } catch (const Error&) {
    } catch (const json::exception&) {
    }
    return {};
}

json entry_json(const IndexEntry& entry) {
    return {{"name", entry.name},           {"found", entry.found},
            {"lookups", entry.lookups},     {"sources", as_texts(entry.sources)},
            {"stamp", entry.stamp},         {"id", entry.program.id},
            {"entry", entry.program.entry}, {"path", entry.program.path}};
}

bool still_holds(const IndexEntry& entry, const std::vector<std::string>& environment) {
    for (const auto& [name, path] : entry.lookups) {
        auto found = base::find_program(name, environment);
        if (!found || fs::absolute(*found) != path) return false;
    }
    try {
        if (stamp_sources(entry.sources) != entry.stamp) return false;
    } catch (const Error&) {
        return false; // one of them is gone
    } catch (const fs::filesystem_error&) {
        return false;
    }
    std::error_code error;
    return fs::exists(entry.program.directory / entry.program.entry, error);
}

std::optional<Program> find_in_index(const fs::path& store, const std::string& name, const fs::path& found,
                                     const std::vector<std::string>& environment) {
    auto index = read_index(store);
    auto programs = index.find("programs");
    if (programs == index.end() || !programs->is_array()) return {};
    for (const auto& object : *programs) {
        auto entry = parse_entry(object, store);
        if (!entry || entry->name != name || entry->found != found.string()) continue;
        if (still_holds(*entry, environment)) return entry->program;
    }
    return {};
}

void write_to_index(const fs::path& store, const IndexEntry& entry) {
    auto index = read_index(store);
    json programs = json::array();
    auto former = index.find("programs");
    if (former != index.end() && former->is_array()) {
        for (const auto& object : *former) {
            bool same = base::find_string(object, "name") == entry.name &&
                        base::find_string(object, "found") == entry.found;
            if (!same) programs.push_back(object);
        }
    }
    programs.push_back(entry_json(entry));
    index["programs"] = std::move(programs);
    base::write_document(index_path(store), index, base::Durability::plain);
}

// ---- The copy.

void make_directory(const fs::path& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
        throw system_error(errno, "cannot make '{}'", path.string());
    // Whatever the caller's umask is.
    if (::chmod(path.c_str(), 0755) != 0)
        throw system_error(errno, "cannot set the mode of '{}'", path.string());
}

void make_parents(const fs::path& top, const fs::path& inside) {
    auto now = top;
    for (const auto& part : inside.parent_path()) make_directory(now /= part);
}

void copy_bytes(int from, int to, std::uint64_t size, const fs::path& path) {
    if (::ioctl(to, FICLONE, from) == 0) return;
    bool in_kernel = true;
    std::vector<char> piece;
    for (std::uint64_t done = 0; done < size;) {
        if (in_kernel) {
            auto got = ::copy_file_range(from, nullptr, to, nullptr, size - done, 0);
            if (got > 0) {
                done += static_cast<std::uint64_t>(got);
                continue;
            }
            in_kernel = false; // another file system, or one that cannot
            piece.resize(copy_piece);
        }
        auto got = ::read(from, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error(errno, "cannot read '{}'", path.string());
        if (got == 0) return; // shorter than it was: found out by its times
        if (!base::write_all(to, {piece.data(), static_cast<std::size_t>(got)})) {
            throw fatal("cannot write the copy of '{}'", path.string());
        }
        done += static_cast<std::uint64_t>(got);
    }
}

// The hash of a file of our own.
std::string hash_file(const fs::path& path, std::uint64_t size) {
    if (size == 0) return base::sha256_hex({});
    auto fd = base::open_file(path, O_RDONLY);
    void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (bytes == MAP_FAILED) throw system_error(errno, "cannot read '{}'", path.string());
    ::madvise(bytes, size, MADV_SEQUENTIAL);
    auto hash = base::sha256_hex({static_cast<const char*>(bytes), size});
    ::munmap(bytes, size);
    return hash;
}

// Builds one copy and notes what it holds: the text whose hash is the copy's id.
class Copier {
  public:
    explicit Copier(fs::path to) : to_(std::move(to)) { make_directory(to_); }

    void tree(const std::string& target, const fs::path& source) {
        make_parents(to_, target);
        walk(source, [&](const std::string& inside, const fs::path& path, const struct stat& found) {
            auto place = inside.empty() ? target : target + "/" + inside;
            if (S_ISDIR(found.st_mode)) {
                make_directory(to_ / place);
            } else if (S_ISREG(found.st_mode)) {
                file(place, path);
            } else if (S_ISLNK(found.st_mode)) {
                inner_link(place, path, source);
            } // sockets, FIFOs and devices are no part of a program
        });
    }

    void link(const std::string& target, const std::string& text) {
        make_parents(to_, target);
        if (::symlink(text.c_str(), (to_ / target).c_str()) != 0) {
            throw system_error(errno, "cannot make the link '{}'", (to_ / target).string());
        }
        note("l", text, target);
    }

    void script(const std::string& target, const std::string& content) {
        make_parents(to_, target);
        auto fd = base::open_file(to_ / target, O_WRONLY | O_CREAT | O_EXCL, 0500);
        base::write_all(fd.get(), content);
        ::fchmod(fd.get(), 0555);
        note("x", base::sha256_hex(content), target);
    }

    // To the disk with it all: the index must not outlive what it promises. Many files at once, since one by
    // one takes long.
    void sync() const {
        if (notes_.size() > 32) {
            auto directory = base::open_file(to_, O_RDONLY | O_DIRECTORY);
            if (::syncfs(directory.get()) != 0) throw system_error(errno, "cannot sync '{}'", to_.string());
            return;
        }
        walk(to_, [](const std::string&, const fs::path& path, const struct stat& found) {
            if (S_ISLNK(found.st_mode)) return;
            auto fd = base::open_file(path, O_RDONLY);
            if (::fsync(fd.get()) != 0) throw system_error(errno, "cannot sync '{}'", path.string());
        });
    }

    std::string id() {
        std::sort(notes_.begin(), notes_.end());
        return base::sha256_hex(base::join(notes_, "\n")).substr(0, id_length);
    }

  private:
    void file(const std::string& target, const fs::path& source) {
        auto from = base::open_file(source, O_RDONLY);
        struct stat before {};
        struct stat after {};
        ::fstat(from.get(), &before);
        bytes_ += static_cast<std::uint64_t>(before.st_size);
        if (bytes_ > most_bytes)
            throw fatal("'{}' belongs to an agent's program of over 4 GiB", source.string());
        auto size = static_cast<std::uint64_t>(before.st_size);
        auto to = base::open_file(to_ / target, O_WRONLY | O_CREAT | O_EXCL, 0600);
        copy_bytes(from.get(), to.get(), size, source);
        ::fstat(from.get(), &after);
        if (stamp_of(before) != stamp_of(after)) {
            throw fatal("'{}' was changed while it was copied", source.string())
                .with_hint("run the command again");
        }
        bool executable = (before.st_mode & 0111U) != 0;
        ::fchmod(to.get(), executable ? 0555 : 0444);
        note(executable ? "x" : "f", hash_file(to_ / target, size), target);
    }

    // A link inside a package that stays in it is kept; one that leads out of it becomes what it leads to, if
    // that is a file.
    void inner_link(const std::string& target, const fs::path& path, const fs::path& top) {
        std::error_code error;
        auto text = fs::read_symlink(path, error);
        auto real = fs::canonical(path, error);
        if (error) return; // leads nowhere
        auto inside = real.lexically_relative(fs::canonical(top));
        if (text.is_relative() && !inside.empty() && *inside.begin() != "..")
            return link(target, text.string());
        if (fs::is_regular_file(real, error)) file(target, real);
    }

    void note(std::string_view kind, std::string_view what, std::string_view target) {
        notes_.push_back(fmt::format("{} {} {}", target, kind, what));
    }

    fs::path to_;
    std::vector<std::string> notes_;
    std::uint64_t bytes_ = 0;
};

IndexEntry copy_program(const std::string& name, const fs::path& found,
                        const std::vector<std::string>& environment, const fs::path& store) {
    auto plan = plan_program(name, found, environment);
    IndexEntry entry;
    entry.name = name;
    entry.found = found.string();
    for (const auto& [word, path] : plan.lookups) entry.lookups[word] = path.string();
    entry.sources = plan.sources;
    std::sort(entry.sources.begin(), entry.sources.end());
    entry.sources.erase(std::unique(entry.sources.begin(), entry.sources.end()), entry.sources.end());
    entry.stamp = stamp_sources(entry.sources);

    base::sweep_temporaries(store);
    base::WholeDirectory whole(store);
    Copier copier(whole.path());
    for (const auto& [target, source] : plan.trees) copier.tree(target, source);
    for (const auto& [target, text] : plan.links) copier.link(target, text);
    for (const auto& [target, content] : plan.scripts) copier.script(target, content);
    copier.sync();
    auto id = copier.id();
    whole.commit(id); // already there: the same content
    if (stamp_sources(entry.sources) != entry.stamp) {
        throw fatal("'{}' was changed while it was copied", found.string())
            .with_hint("run the command again");
    }
    entry.program = {id, store / id, plan.entry, plan.path, found};
    return entry;
}

} // namespace

Program install_program(const Agent& agent, const std::vector<std::string>& environment,
                        const fs::path& store) {
    auto path = base::find_program(agent.program, environment);
    if (!path) {
        throw fatal("{} is not installed: there is no '{}' on PATH", agent.title, agent.program)
            .with_hint("{}", agent.install);
    }
    auto found = fs::absolute(*path).lexically_normal();
    auto name = fs::path(agent.program).filename().string();
    if (auto program = find_in_index(store, name, found, environment)) return *program;

    base::make_directories(store.parent_path());
    make_directory(store);
    // One copies, the others wait and find it.
    auto lock = base::FileLock::acquire(store.string() + ".lock");
    if (auto program = find_in_index(store, name, found, environment)) return *program;
    try {
        auto entry = copy_program(name, found, environment, store);
        write_to_index(store, entry);
        return entry.program;
    } catch (const fs::filesystem_error& error) {
        throw fatal("cannot copy the program of {}: {}", agent.title, error.what());
    }
}

std::optional<std::set<std::string>> newest_programs(const fs::path& store) {
    const auto index = read_index(store);
    const auto programs = index.find("programs");
    if (programs == index.end() || !programs->is_array() || programs->empty()) return {};
    std::set<std::string> ids;
    for (const auto& object : *programs) {
        const auto entry = parse_entry(object, store);
        if (!entry) return {};
        ids.insert(entry->program.id);
    }
    return ids;
}

} // namespace scad::agent
