#include "project/reader.h"

#include "project/show.h"

namespace scad::project {

SectionReader::SectionReader(const Node* table, std::string shown, std::map<std::string, base::Place>& places,
                             Problems& problems)
    : table_(table != nullptr && table->kind == Node::Kind::table ? table : nullptr),
      shown_(std::move(shown)),
      problems_(problems) {
    if (table_ == nullptr) return;
    places[shown_] = table_->place;
    for (const auto& entry : table_->entries) places[name(entry.key)] = entry.value.place;
}

const base::Place& SectionReader::place() const {
    static const base::Place nowhere;
    return table_ == nullptr ? nowhere : table_->place;
}

const base::Place& SectionReader::place(std::string_view key) const {
    const auto* node = table_ == nullptr ? nullptr : table_->find(key);
    return node == nullptr ? place() : node->place;
}

std::string SectionReader::name(std::string_view key) const {
    return shown_.empty() ? std::string(key) : shown_ + "." + toml_key(key);
}

const Node* SectionReader::find(std::string_view key, Node::Kind kind) const {
    const auto* node = table_ == nullptr ? nullptr : table_->find(key);
    return node == nullptr || node->kind != kind ? nullptr : node;
}

std::string SectionReader::text(std::string_view key, const std::string& standard) const {
    const auto* node = find(key, Node::Kind::string);
    return node == nullptr || node->text.empty() ? standard : node->text;
}

bool SectionReader::boolean(std::string_view key, bool standard) const {
    const auto* node = find(key, Node::Kind::boolean);
    return node == nullptr ? standard : node->boolean;
}

std::optional<std::uint64_t> SectionReader::size(std::string_view key) const {
    const auto* node = find(key, Node::Kind::string);
    return node == nullptr ? std::nullopt : base::parse_size(node->text);
}

std::optional<std::chrono::seconds> SectionReader::duration(std::string_view key) const {
    const auto* node = find(key, Node::Kind::string);
    return node == nullptr ? std::nullopt : base::parse_duration(node->text);
}

std::vector<std::string> SectionReader::strings(
    std::string_view key, const std::function<std::string(const std::string&)>& check) const {
    std::vector<std::string> values;
    const auto* list = find(key, Node::Kind::array);
    if (list == nullptr) return values;
    for (const auto& item : list->items) {
        if (item.kind != Node::Kind::string || item.text.empty()) continue;
        auto why = check ? check(item.text) : std::string();
        if (!why.empty()) refuse_at(item.place, key, item.text, why);
        values.push_back(item.text);
    }
    return values;
}

void SectionReader::refuse(std::string_view key, std::string_view value, const std::string& why,
                           std::string hint) const {
    refuse_at(place(key), key, value, why, std::move(hint));
}

void SectionReader::refuse_at(const base::Place& place, std::string_view key, std::string_view value,
                              const std::string& why, std::string hint) const {
    problems_.add(place, fmt::format("'{}' cannot be '{}': {}", name(key), value, why), std::move(hint));
}

} // namespace scad::project
