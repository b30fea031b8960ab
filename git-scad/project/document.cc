#include "project/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

namespace scad::project {

namespace {

base::Place place_of(const std::string& file, const toml::source_region& region) {
    return {file, region.begin.line, region.begin.column};
}

Node convert(const std::string& file, const toml::node& from);

Node convert_table(const std::string& file, const toml::table& from) {
    Node node;
    node.kind = Node::Kind::table;
    for (auto&& [key, value] : from) {
        node.entries.push_back({std::string(key.str()), place_of(file, key.source()), convert(file, value)});
    }
    // The parser sorts by name; a person wrote them in another order.
    std::stable_sort(node.entries.begin(), node.entries.end(), [](const Entry& left, const Entry& right) {
        return std::tie(left.place.line, left.place.column) < std::tie(right.place.line, right.place.column);
    });
    return node;
}

Node convert(const std::string& file, const toml::node& from) {
    Node node;
    if (const auto* table = from.as_table()) {
        node = convert_table(file, *table);
    } else if (const auto* array = from.as_array()) {
        node.kind = Node::Kind::array;
        for (const auto& item : *array) node.items.push_back(convert(file, item));
    } else if (const auto* text = from.as_string()) {
        node.kind = Node::Kind::string;
        node.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
        node.kind = Node::Kind::integer;
        node.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
        node.kind = Node::Kind::real;
        node.real = real->get();
    } else if (const auto* boolean = from.as_boolean()) {
        node.kind = Node::Kind::boolean;
        node.boolean = boolean->get();
    } else {
        node.kind = Node::Kind::date;
    }
    node.place = place_of(file, from.source());
    return node;
}

} // namespace

const Entry* Node::entry(std::string_view key) const {
    for (const auto& candidate : entries) {
        if (candidate.key == key) return &candidate;
    }
    return nullptr;
}

const Node* Node::find(std::string_view key) const {
    const auto* found = entry(key);
    return found == nullptr ? nullptr : &found->value;
}

Node parse_document(const std::string& file, std::string_view text, Problems& problems) {
    try {
        auto node = convert_table(file, toml::parse(text, std::string_view(file)));
        node.place = {file, 1, 1};
        return node;
    } catch (const toml::parse_error& error) {
        std::string message(error.description());
        if (message.starts_with("Error")) message.front() = 'e';
        if (message.starts_with("Encountered")) message.front() = 'e';
        problems.add(place_of(file, error.source()), std::move(message));
    }
    Node empty;
    empty.kind = Node::Kind::table;
    empty.place = {file, 1, 1};
    return empty;
}

void lay_over(Node& base, Node over) {
    if (base.kind != Node::Kind::table || over.kind != Node::Kind::table) {
        base = std::move(over);
        return;
    }
    for (auto& entry : over.entries) {
        auto same = std::find_if(base.entries.begin(), base.entries.end(),
                                 [&](const Entry& candidate) { return candidate.key == entry.key; });
        if (same == base.entries.end()) {
            base.entries.push_back(std::move(entry));
            continue;
        }
        if (entry.value.kind != Node::Kind::table) same->place = entry.place;
        lay_over(same->value, std::move(entry.value));
    }
}

std::string_view kind_phrase(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::unset:
            return "nothing";
        case Node::Kind::string:
            return "a string";
        case Node::Kind::integer:
            return "an integer";
        case Node::Kind::real:
            return "a fraction";
        case Node::Kind::boolean:
            return "a boolean";
        case Node::Kind::date:
            return "a date or time";
        case Node::Kind::array:
            return "a list";
        case Node::Kind::table:
            return "a table";
    }
    return "";
}

} // namespace scad::project
