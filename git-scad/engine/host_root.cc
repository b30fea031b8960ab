#include "base/error.h"
#include "base/file.h"
#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

namespace scad::engine {

namespace {

namespace fs = std::filesystem;

// What programs in /usr need of /etc. Never whole: host names of others, keys, and settings with passwords in
// them are there too.
constexpr std::array etc_parts = {
    "alternatives", "bash.bashrc", "crypto-policies", "debian_version", "fonts",
    "inputrc",      "ld.so.cache", "ld.so.conf",      "ld.so.conf.d",   "localtime",
    "lsb-release",  "magic",       "mime.types",      "os-release",     "pki",
    "profile",      "profile.d",   "protocols",       "services",       "shells",
    "ssl",          "terminfo",    "timezone"};
constexpr std::size_t small_file = std::size_t{2} << 20; // bytes

Mount file(std::string target, std::string content) {
    return {std::move(target), File{std::move(content), 0444}, false};
}

// A link as a link, a directory read-only as it is, a file as a copy: that is quicker to make than a mount.
void add_as_it_is(std::vector<Mount>& mounts, const std::string& path) {
    std::error_code error;
    fs::file_status status = fs::symlink_status(path, error);
    if (error || (!fs::is_symlink(status) && ::access(path.c_str(), R_OK) != 0)) return;
    if (fs::is_symlink(status)) {
        fs::path target = fs::read_symlink(path, error);
        if (!error) mounts.push_back({path, Symlink{target.string()}, false});
    } else if (fs::is_directory(status)) {
        if (!fs::is_empty(path, error)) mounts.push_back({path, Bind{path, false}, true});
    } else if (fs::is_regular_file(status)) {
        if (fs::file_size(path, error) <= small_file)
            if (auto content = base::read_if_exists(path)) mounts.push_back(file(path, *content));
    }
}

// Settings that tools in /usr do not start without.
std::vector<std::string> tool_parts() {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/etc", error)) {
        std::string name = entry.path().filename().string();
        if (name.starts_with("java") || name == "R" || name == "texmf") names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
}

// What the host has in /opt, part by part: /opt/scad is a session's own, and nothing can be mounted below a
// read-only mount of the whole.
void add_optional_programs(std::vector<Mount>& mounts) {
    mounts.push_back({"/opt", Directory{0755}, false});
    std::vector<std::string> paths;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator("/opt", error))
        if (entry.path().filename() != "scad") paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) {
        std::error_code ignored;
        // An overlay over nothing, because services keep sockets in /opt, and a read-only bind stops nobody
        // from connecting to one.
        if (fs::is_directory(fs::symlink_status(path, ignored)) && ::access(path.c_str(), R_OK) == 0)
            mounts.push_back({path, Overlay{.lowers = {path}, .upper = {}, .work = {}, .git = {}}, true});
        else
            add_as_it_is(mounts, path);
    }
}

void add_names(std::vector<Mount>& mounts, NetworkMode network, const std::string& hostname) {
    auto id = inner_uid;
    mounts.push_back(
        file("/etc/passwd", fmt::format("root:x:0:0:root:/root:/usr/sbin/nologin\n"
                                        "agent:x:{0}:{0}:agent:/home/agent:/bin/bash\n"
                                        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
                                        id)));
    mounts.push_back(file("/etc/group", fmt::format("root:x:0:\nagent:x:{}:\nnogroup:x:65534:\n", id)));
    mounts.push_back(file("/etc/nsswitch.conf",
                          "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                          "networks: files\nprotocols: files\nservices: files\nrpc: files\n"));
    std::string name = hostname.empty() ? "sandbox" : hostname;
    mounts.push_back(
        file("/etc/hosts", fmt::format("127.0.0.1\tlocalhost {0}\n::1\tlocalhost ip6-localhost\n", name)));
    mounts.push_back(file("/etc/hostname", name + "\n"));
    if (network == NetworkMode::host) // its content, because it is often a link into /run
        if (auto content = base::read_if_exists("/etc/resolv.conf", std::size_t{1} << 20))
            mounts.push_back(file("/etc/resolv.conf", *content));
}

constexpr std::array system_links = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

} // namespace

bool is_shown(std::string_view path) {
    const auto is_in = [&](std::string_view place) {
        return path.size() > place.size() + 1 && path.starts_with(place) && path[place.size()] == '/';
    };
    return is_in("/usr") || (is_in("/opt") && path != "/opt/scad" && !is_in("/opt/scad")) ||
           std::any_of(system_links.begin(), system_links.end(), is_in);
}

std::vector<Mount> host_root(NetworkMode network, const std::string& hostname) {
    std::vector<Mount> mounts;
    mounts.push_back({"/usr", Bind{"/usr", false}, false});
    for (const char* path : system_links) add_as_it_is(mounts, path);
    add_optional_programs(mounts);
    mounts.push_back({"/etc", Directory{0755}, false});
    for (const char* name : etc_parts) add_as_it_is(mounts, std::string("/etc/") + name);
    for (const std::string& name : tool_parts()) add_as_it_is(mounts, "/etc/" + name);
    add_names(mounts, network, hostname);
    mounts.push_back({"/var", Directory{0755}, false});
    mounts.push_back({"/var/tmp", Symlink{"/tmp"}, false});
    return mounts;
}

} // namespace scad::engine
