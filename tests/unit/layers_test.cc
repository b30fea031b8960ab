// Folders stand in layers: a file includes only from folders of lower rank and from its own.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

const std::map<std::string, int, std::less<>> ranks = {
    {"base", 0},    {"project", 1}, {"engine", 1}, {"agent", 1},    {"workspace", 2},     {"environment", 2},
    {"session", 3}, {"review", 4},  {"hooks", 4},  {"commands", 5}, {"remote-helper", 5},
};

// The path in a line `#include "path"`; none for any other line.
std::optional<std::string> included_path(std::string_view line) {
    constexpr std::string_view blank = " \t";
    auto skip_blank = [&] { line.remove_prefix(std::min(line.find_first_not_of(blank), line.size())); };
    skip_blank();
    if (!line.starts_with('#')) return {};
    line.remove_prefix(1);
    skip_blank();
    if (!line.starts_with("include")) return {};
    line.remove_prefix(7);
    skip_blank();
    if (!line.starts_with('"')) return {};
    line.remove_prefix(1);
    return std::string(line.substr(0, line.find('"')));
}

// Why a file of `folder` may not include `path`; none where it may. Files without a folder of their own
// (main.cc) come last and may include everything.
std::optional<std::string> objection(std::string_view folder, std::string_view path) {
    if (path.starts_with("../") || path.find("/../") != std::string_view::npos) {
        return "leaves its folder by '..'";
    }
    auto slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    auto target = path.substr(0, slash);
    if (target == folder) return {};
    auto to = ranks.find(target);
    if (to == ranks.end()) return {};
    auto from = ranks.find(folder);
    if (from == ranks.end()) return {};
    if (to->second < from->second) return {};
    return "rank " + std::to_string(from->second) + " '" + std::string(folder) + "' includes rank " +
           std::to_string(to->second) + " '" + std::string(target) + "'";
}

bool is_source(const fs::path& path) {
    static const std::vector<std::string> endings = {".cc", ".h", ".in"};
    return std::find(endings.begin(), endings.end(), path.extension().string()) != endings.end();
}

// "file:line: why" for each include below `top` that its folder may not have. `files` counts what was read.
std::vector<std::string> wrong_includes(const fs::path& source, const std::string& top, int& files) {
    std::vector<std::string> wrong;
    if (!fs::exists(source / top)) return wrong;
    for (const auto& entry : fs::recursive_directory_iterator(source / top)) {
        if (!entry.is_regular_file() || !is_source(entry.path())) continue;
        ++files;
        auto inside = fs::relative(entry.path(), source / top);
        std::string folder = top;
        if (top == "git-scad") folder = inside.has_parent_path() ? inside.begin()->string() : "";
        std::ifstream in(entry.path());
        std::string line;
        for (int number = 1; std::getline(in, line); ++number) {
            auto path = included_path(line);
            auto why = path ? objection(folder, *path) : std::nullopt;
            if (why) {
                wrong.push_back(fs::relative(entry.path(), source).string() + ":" + std::to_string(number) +
                                ": " + *why);
            }
        }
    }
    return wrong;
}

} // namespace

TEST_CASE("included_path reads include lines only", "[layers]") {
    CHECK(included_path("#include \"base/error.h\"") == "base/error.h");
    CHECK(included_path("  #  include \"base/error.h\"  // why") == "base/error.h");
    CHECK_FALSE(included_path("#include <vector>"));
    CHECK_FALSE(included_path("// #include \"base/error.h\""));
    CHECK_FALSE(included_path(""));
}

TEST_CASE("a folder may include lower ranks and itself", "[layers]") {
    CHECK_FALSE(objection("session", "base/error.h"));
    CHECK_FALSE(objection("session", "session/store.h"));
    CHECK_FALSE(objection("remote-helper", "session/store.h"));
    CHECK_FALSE(objection("", "commands/command.h"));
    CHECK(objection("base", "project/load.h"));
    CHECK(objection("engine", "project/load.h"));
    CHECK(objection("workspace", "environment/plan.h"));
    CHECK(objection("commands", "remote-helper/target.h"));
    CHECK(objection("session", "../review/fetch.h"));
}

TEST_CASE("no file includes a higher or an equal rank", "[layers]") {
    int files = 0;
    std::vector<std::string> wrong;
    for (const char* top : {"git-scad", "remote-helper", "hooks"}) {
        auto found = wrong_includes(SCAD_SOURCE_DIR, top, files);
        wrong.insert(wrong.end(), found.begin(), found.end());
    }
    std::string report;
    for (const auto& line : wrong) report += line + "\n";
    INFO(report);
    CHECK(wrong.empty());
    CHECK(files > 0);
}

TEST_CASE("each folder of sources has a rank", "[layers]") {
    for (const auto& entry : fs::directory_iterator(fs::path(SCAD_SOURCE_DIR) / "git-scad")) {
        if (!entry.is_directory()) continue;
        INFO(entry.path());
        CHECK(ranks.count(entry.path().filename().string()) == 1);
    }
}
