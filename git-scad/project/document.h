#pragma once

#include "base/toml.h"
#include "project/problems.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scad::project {

struct Entry;

// A value of a TOML file with the place where it stands. A tree of scad's own, because it keeps the order of
// the file and can be laid over another one without losing which file a value came from.
struct Node {
    enum class Kind { unset, string, integer, real, boolean, date, array, table };
    Kind kind = Kind::unset;
    base::Place place;
    std::string text; // string
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<Node> items;    // array
    std::vector<Entry> entries; // table, in the order of the file

    // The entry of a table; null when there is none, or when this is no table.
    const Node* find(std::string_view key) const;
    const Entry* entry(std::string_view key) const;
};

struct Entry {
    std::string key;
    base::Place place; // of the key
    Node value;
};

// Parses TOML 1.0. A syntax error is added to `problems` and gives an empty table.
Node parse_document(const std::string& file, std::string_view text, Problems& problems);

// `over` laid over `base`: tables are merged key by key, all else is replaced. New keys come after the old
// ones.
void lay_over(Node& base, Node over);

// "a string", "a list", "a table" …, for messages.
std::string_view kind_phrase(Node::Kind kind);

} // namespace scad::project
