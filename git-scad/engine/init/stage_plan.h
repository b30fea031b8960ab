#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the stage (`scad-init stage <fd>`) is told to do: operations, each a list of words, none of them
// empty.
//
//   wait <fd>                       go on when a byte or end of file can be read there
//   bind <slot> <source> [git=<dir>]
//                                   the host's directory or file, with what is mounted below it
//   bind-exact <slot> <source>      the same, but no part of that path may be a link
//   device <slot> <source>          a character device of the host's
//   overlay <slot> lower=<dir>… [upper=<dir> work=<dir>] [git=<dir>] [watch=<fd>]
//                                   lowers topmost first, `exact=` for one without links in its path; without
//                                   upper it is read-only
//   run <program> <args-fd> <argument>…
//                                   becomes that program; the descriptor stays open, all arguments after it
//                                   are passed on
//
// Each slot becomes <stage_directory>/<slot>; <stage_directory>/empty is an empty directory and
// <stage_directory>/null an empty file.
namespace scad::engine::stage {

inline constexpr std::string_view first_word = "scad-stage-3"; // the first operation, alone: the version
inline constexpr std::string_view stage_directory =
    "/tmp"; // of the stage's own mount name space, where a tmpfs covers it

using Operation = std::vector<std::string>;

// Each word ends in a NUL, each operation in one more.
inline std::string encode(const std::vector<Operation>& operations) {
    std::string text(first_word);
    text.append(2, '\0');
    for (const Operation& operation : operations) {
        for (const std::string& word : operation) text.append(word).push_back('\0');
        text.push_back('\0');
    }
    return text;
}

// Empty when it is not whole or of another version.
inline std::optional<std::vector<Operation>> decode(std::string_view text) {
    std::vector<Operation> operations;
    Operation current;
    while (!text.empty()) {
        std::size_t end = text.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        if (end == 0) {
            if (current.empty()) return std::nullopt;
            operations.push_back(std::move(current));
            current.clear();
        } else {
            current.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(end + 1);
    }
    if (!current.empty() || operations.empty() || operations.front() != Operation{std::string(first_word)})
        return std::nullopt;
    operations.erase(operations.begin());
    return operations;
}

} // namespace scad::engine::stage
