#include "agent/elf.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace scad::agent {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_headers = 4096;
constexpr std::size_t most_entries = 65536;
constexpr std::size_t most_libraries = 1000;

// Reads at places that the file itself names; a wrong one is an error, never a short object.
class Image {
  public:
    explicit Image(const fs::path& path) : path_(path), fd_(base::open_file(path, O_RDONLY)) {}

    bool read(std::uint64_t offset, void* to, std::size_t size) const {
        if (offset > static_cast<std::uint64_t>(INT64_MAX) - size) return false;
        auto* bytes = static_cast<char*>(to);
        while (size > 0) {
            auto got = ::pread(fd_.get(), bytes, size, static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw system_error(errno, "cannot read '{}'", path_.string());
            if (got == 0) return false;
            bytes += got;
            offset += static_cast<std::uint64_t>(got);
            size -= static_cast<std::size_t>(got);
        }
        return true;
    }

    template <class T> T get(std::uint64_t offset) const {
        T value;
        if (!read(offset, &value, sizeof value)) throw damaged();
        return value;
    }

    std::string text(std::uint64_t offset) const {
        std::string result;
        std::array<char, 256> piece{};
        while (result.size() < 4096) {
            std::size_t size = piece.size();
            while (size > 0 && !read(offset, piece.data(), size)) size /= 2; // near the end of the file
            auto* end = static_cast<char*>(std::memchr(piece.data(), 0, size));
            if (end != nullptr) return result.append(piece.data(), end);
            if (size == 0) break;
            result.append(piece.data(), size);
            offset += size;
        }
        throw damaged();
    }

    Error damaged() const {
        return fatal("'{}' is a damaged program: its headers point outside of it", path_.string());
    }

  private:
    fs::path path_;
    base::Fd fd_;
};

std::vector<std::string> search_list(const std::string& text) {
    std::vector<std::string> result;
    for (auto& part : base::split(text, ':')) {
        if (!part.empty()) result.push_back(std::move(part));
    }
    return result;
}

void read_dynamic(const Image& image, const Elf64_Phdr& dynamic, const std::vector<Elf64_Phdr>& headers,
                  Elf& elf) {
    std::vector<std::uint64_t> needed;
    std::optional<std::uint64_t> strings;
    std::optional<std::uint64_t> runpath;
    std::optional<std::uint64_t> rpath;
    auto count = std::min<std::uint64_t>(dynamic.p_filesz / sizeof(Elf64_Dyn), most_entries);
    for (std::uint64_t i = 0; i < count; ++i) {
        auto entry = image.get<Elf64_Dyn>(dynamic.p_offset + i * sizeof(Elf64_Dyn));
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
        if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
        if (entry.d_tag == DT_RUNPATH) runpath = entry.d_un.d_val;
        if (entry.d_tag == DT_RPATH) rpath = entry.d_un.d_val;
    }
    if (!strings) return;
    // The string table is named by its address in memory.
    auto segment = std::find_if(headers.begin(), headers.end(), [&](const Elf64_Phdr& header) {
        return header.p_type == PT_LOAD && *strings >= header.p_vaddr &&
               *strings - header.p_vaddr < header.p_filesz;
    });
    if (segment == headers.end()) throw image.damaged();
    auto table = segment->p_offset + (*strings - segment->p_vaddr);
    for (auto offset : needed) elf.needed.push_back(image.text(table + offset));
    if (runpath) elf.runpath = search_list(image.text(table + *runpath));
    if (rpath) elf.rpath = search_list(image.text(table + *rpath));
}

// One directory of a run path; empty for those that this reading cannot follow ($LIB, $PLATFORM).
fs::path expand(const std::string& entry, const fs::path& origin, bool& relative) {
    std::string text = entry;
    relative = false;
    for (std::string_view word : {"${ORIGIN}", "$ORIGIN"}) {
        if (text.starts_with(word)) {
            text = origin.string() + text.substr(word.size());
            relative = true;
            break;
        }
    }
    if (text.find('$') != std::string::npos || !text.starts_with('/')) return {};
    return fs::path(text).lexically_normal();
}

} // namespace

std::optional<Elf> read_elf(const fs::path& path) {
    Image image(path);
    Elf64_Ehdr header{};
    if (!image.read(0, &header, EI_NIDENT) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return {};
    Elf elf;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) return elf;
    header = image.get<Elf64_Ehdr>(0);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > most_headers) return elf;
    std::vector<Elf64_Phdr> headers;
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
        headers.push_back(image.get<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr)));
    }
    for (const auto& segment : headers) {
        if (segment.p_type == PT_INTERP) elf.interpreter = image.text(segment.p_offset);
        if (segment.p_type == PT_DYNAMIC) read_dynamic(image, segment, headers, elf);
    }
    return elf;
}

bool is_system_path(const fs::path& path) {
    constexpr std::array<std::string_view, 6> tops = {"/usr/",   "/lib/", "/lib32/",
                                                      "/lib64/", "/bin/", "/sbin/"};
    auto text = path.lexically_normal().string();
    return std::any_of(tops.begin(), tops.end(), [&](std::string_view top) { return text.starts_with(top); });
}

std::vector<Library> find_libraries(const fs::path& program) {
    struct Open {
        fs::path file;
        std::vector<Library> inherited; // directories of the DT_RPATHs above it (in `found`)
    };
    std::vector<Library> result;
    std::set<fs::path> seen;
    std::vector<Open> open = {{program, {}}};
    while (!open.empty()) {
        auto now = std::move(open.back());
        open.pop_back();
        auto elf = read_elf(now.file);
        if (!elf) continue;
        auto origin = fs::canonical(now.file).parent_path();
        std::vector<Library> directories;
        auto add = [&](const std::vector<std::string>& entries) {
            for (const auto& entry : entries) {
                bool relative = false;
                auto directory = expand(entry, origin, relative);
                if (!directory.empty()) directories.push_back({{}, directory, relative});
            }
        };
        bool by_rpath = elf->runpath.empty();
        add(by_rpath ? elf->rpath : elf->runpath);
        auto inherited = by_rpath ? directories : std::vector<Library>{};
        if (by_rpath) {
            directories.insert(directories.end(), now.inherited.begin(), now.inherited.end());
            inherited = directories;
        }
        for (const auto& name : elf->needed) {
            if (name.find('/') != std::string::npos) continue; // a fixed path: the system's, or not there
            for (const auto& directory : directories) {
                auto path = directory.found / name;
                std::error_code error;
                if (!fs::is_regular_file(path, error)) continue;
                if (!is_system_path(fs::canonical(path, error)) && seen.insert(path).second) {
                    if (result.size() >= most_libraries)
                        throw fatal("'{}' has too many libraries", program.string());
                    result.push_back({name, path, directory.relative});
                    open.push_back({path, inherited});
                }
                break;
            }
        }
    }
    return result;
}

} // namespace scad::agent
