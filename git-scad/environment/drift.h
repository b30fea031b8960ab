#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scad::environment {

// A program of sh that prints the installed packages of the virtual environment, one line each: TAB "package"
// TAB and the name of its directory in site-packages. For the baking and for sessions, where what it prints
// is foreign.
std::string_view package_listing();

// The packages in such output, among other lines: "<name>-<version>", sorted. Bounded. Pure.
std::vector<std::string> parse_packages(std::string_view output);

// What a session's virtual environment has otherwise than the environment that it was started with.
struct Drift {
    std::vector<std::string> added;   // "requests 2.31.0"
    std::vector<std::string> removed; // "idna 3.4"
    std::vector<std::string> changed; // "numpy 1.26.0 -> 2.0.1"
    std::size_t size() const { return added.size() + removed.size() + changed.size(); }
    bool operator==(const Drift&) const = default;
};
// Pure.
Drift compare_packages(const std::vector<std::string>& baked, const std::vector<std::string>& now);

// "+requests 2.31.0, -idna 3.4, numpy 1.26.0 -> 2.0.1"; at most `most` of them, then "and 3 more". Empty:
// none. Pure.
std::string drift_words(const Drift& drift, std::size_t most);

} // namespace scad::environment
