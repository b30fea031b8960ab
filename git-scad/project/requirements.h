#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::project {

// What one requirement file leads to beyond itself. Paths and addresses stand as they are written there.
struct RequirementFile {
    std::vector<std::string> files;      // of -r and -c: paths from the file's own directory, or addresses
    std::vector<std::string> find_links; // of -f: addresses or paths
    std::vector<std::string> indexes, extra_indexes; // of -i and --extra-index-url: addresses
    bool no_index = false;                           // --no-index
    bool hashes = false;                             // some requirement has --hash, so pip wants one of each
    std::vector<std::string> editables;              // of -e: paths from where pip stands, or addresses
    std::vector<std::string> paths;                  // requirements that are files or directories
    std::vector<std::string> addresses; // requirements by address ("name @ https://…", "git+https://…")
    bool operator==(const RequirementFile&) const = default;
};

// Reads the format of pip's requirement files (pip documentation, "Requirements File Format"): comments,
// lines that go on, options. What it does not know is left to pip. Pure.
RequirementFile parse_requirements(std::string_view text);

// Its lines as pip sees them: those that go on joined, without comments. Some are empty. Pure.
std::vector<std::string> requirement_lines(std::string_view text);

// The options of its lines that say where packages come from, as words of a command line; a path of -f as
// `place` gives it. Pure.
std::vector<std::string> index_options(const RequirementFile& file,
                                       const std::function<std::string(const std::string&)>& place);

// The address's host with its port as an allow list takes it ("pypi.example.org", "127.0.0.1:8080"); empty:
// no address of http or https. "git+" before the scheme is passed over. Pure.
std::string host_of_address(std::string_view address);

} // namespace scad::project
