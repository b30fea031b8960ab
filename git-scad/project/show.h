#pragma once

#include "project/document.h"
#include "project/project.h"

namespace scad::project {

// The project as a document with every default filled in, in the order of the schema; what has no value (no
// limit) is Node::Kind::unset. Pure.
Node to_document(const Project& project);

// A basic string of TOML: whatever is no plain text is escaped, so that it reads back the same. Pure.
std::string toml_string(std::string_view value);

// A key: as it is where it may stand bare, else as a string. Pure.
std::string toml_key(std::string_view key);

// A value as it would be written in the file: "4", "0.5".
std::string number_text(double number);
// "16GiB", "1536MiB", "100": what parse_size() reads back to the same number.
std::string size_text(std::uint64_t bytes);
// "2h", "1h30m", "45s".
std::string duration_text(std::chrono::seconds duration);
std::string_view mode_word(NetworkMode mode);
std::string_view mode_word(MountMode mode);

} // namespace scad::project
