#pragma once

#include "project/document.h"
#include "project/problems.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scad::project {

enum class Type {
    string,       // not empty
    text,         // a string, may be empty
    boolean,      // true, false
    integer,      // a whole number
    number,       // a whole number or one with a point
    size,         // "16GiB"
    duration,     // "1h30m"
    choice,       // one of `words`
    strings,      // a list of strings
    string_table, // any keys, each a string
    table,        // a section: [limits]
    named_tables, // a section for each name: [repos.<name>]
    tables,       // a list of sections: [[trigger]]
};

// One key of a project file, described once: what checks, shows, suggests and documents it reads this.
struct Key {
    // "" (top), "repos.*", "limits", "environment.python", "environment.setup[]", "trigger[]"
    std::string_view section;
    std::string_view name;
    Type type = Type::string;
    std::string_view words;    // choice: "ro|rw|cow"
    std::string_view standard; // the default as a person reads it; empty: none
    std::string_view meaning;  // one sentence or two
    bool lacking = false;      // read and checked, but not done by this build (see support.h)
};

// All keys, sections before what is in them, in the order in which they are shown.
std::span<const Key> schema();

// "repos.*.path", "environment.setup[].run"
std::string full_name(const Key& key);
const Key* find_key(std::string_view section, std::string_view name);
// The section below `section` that `key` opens: "repos.*", "limits", "trigger[]".
std::string subsection(const Key& key);
std::vector<std::string> names_in(std::string_view section);

// Adds a problem for each unknown key (with the nearest valid one), each value of another type, each word
// that is none of the choices, each size or duration that is none. Pure.
void check_shape(const Node& document, Problems& problems);

} // namespace scad::project
