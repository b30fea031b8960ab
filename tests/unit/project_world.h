#pragma once

#include "base/context.h"
#include "base/process.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

// A home, a docs repo, a code repo and other places of a host, in a temporary directory that goes with it.
class ProjectWorld {
  public:
    ProjectWorld() {
        std::string pattern = (std::filesystem::temp_directory_path() / "scad-test-XXXXXX").native();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        top = std::filesystem::canonical(pattern);
        for (const auto* directory :
             {"home/.ssh/sub", "home/.config", "home/.local/state/scad", "home/datasets", "docs/.scad",
              "code/src", "plain", "holds", "socket/deep/er", "bin"}) {
            std::filesystem::create_directories(top / directory);
        }
        write("plain/file", "");
        write("code/.env.test", "");
        for (const auto* repo : {"docs", "code", "holds/inner"}) git({"init", "-q", (top / repo).native()});
        git({"init", "-q", "--bare", (top / "bare").native()});
        ::mkfifo((top / "fifo").c_str(), 0600);
        make_socket(top / "socket/deep");
    }
    ~ProjectWorld() {
        std::error_code ignored;
        std::filesystem::remove_all(top, ignored);
    }
    ProjectWorld(const ProjectWorld&) = delete;
    ProjectWorld& operator=(const ProjectWorld&) = delete;

    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((top / file).parent_path());
        std::ofstream(top / file) << text;
    }

    static std::string read(const std::filesystem::path& file) {
        std::ifstream in(file);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

    std::vector<std::string> environment() const {
        return {"HOME=" + (top / "home").native(), "PATH=" + (top / "bin").native() + ":/usr/bin:/bin",
                "LC_ALL=C", "GIT_CONFIG_GLOBAL=" + (top / "home/.gitconfig").native(),
                "GIT_CONFIG_SYSTEM=/dev/null"};
    }

    void git(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "git");
        scad::base::Command command{
            .argv = std::move(arguments), .directory = top, .environment = environment()};
        scad::base::run_ok(command);
    }

    // The user stands in `directory`; `docs` are the values of scad.docs.
    scad::base::Context stand_in(const std::filesystem::path& directory,
                                 const std::vector<std::string>& docs = {}) {
        scad::base::Variables variables(environment());
        std::vector<std::pair<std::string, std::string>> entries;
        entries.reserve(docs.size());
        for (const auto& repo : docs) entries.emplace_back("scad.docs", repo);
        scad::base::Settings settings(entries);
        terminal_ = std::make_unique<scad::base::Terminal>(variables, settings);
        return {variables, settings, scad::base::find_paths(variables, settings), directory, *terminal_};
    }

    // `text` without what is different in each run.
    std::string stable(std::string text) const {
        for (auto at = text.find(top.native()); at != std::string::npos; at = text.find(top.native())) {
            text.replace(at, top.native().size(), "<top>");
        }
        return text;
    }

    std::filesystem::path top;

  private:
    static void make_socket(const std::filesystem::path& directory) {
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        auto path = (directory / "s").native();
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::close(fd);
    }

    std::unique_ptr<scad::base::Terminal> terminal_;
};
