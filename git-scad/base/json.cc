#include "base/json.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

namespace scad::base {

namespace {

using nlohmann::json;

// Deeper documents are nobody's honest work, and writing one out is recursive in the library.
constexpr int depth_limit = 256;

bool too_deep(std::string_view text) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_limit) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

json checked_document(std::string_view text, const std::filesystem::path& path, int newest) {
    std::optional<json> document = parse_json(text);
    if (!document || !document->is_object())
        throw fatal("'{}' is damaged: it holds no JSON object", path.native());
    const auto version = document->find("version");
    if (version == document->end() || !version->is_number_integer()) {
        throw fatal("'{}' is damaged: it has no version", path.native());
    }
    if (version->is_number_unsigned() ? version->get<std::uint64_t>() > static_cast<std::uint64_t>(newest)
                                      : version->get<std::int64_t>() > newest) {
        throw fatal("'{}' was written by a newer scad: its version is {}, this scad knows {}", path.native(),
                    version->dump(), newest)
            .with_hint("use the newer scad that wrote it");
    }
    return std::move(*document);
}

const json& member(const json& object, std::string_view key) {
    if (object.is_object()) {
        const auto found = object.find(key);
        if (found != object.end()) return *found;
    }
    throw fatal("'{}' is missing", key);
}

const json* find_member(const json& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

// An integer that a std::int64_t can hold.
std::optional<std::int64_t> integer(const json& value) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
        return static_cast<std::int64_t>(number);
    }
    if (value.is_number_integer()) return value.get<std::int64_t>();
    return std::nullopt;
}

} // namespace

json read_document(const std::filesystem::path& path, int newest) {
    return checked_document(read_file(path), path, newest);
}

std::optional<json> read_document_if_exists(const std::filesystem::path& path, int newest) {
    const std::optional<std::string> text = read_if_exists(path);
    if (!text) return std::nullopt;
    return checked_document(*text, path, newest);
}

void write_document(const std::filesystem::path& path, const json& document, Durability durability) {
    replace_file(path, to_text(document), 0600, durability);
}

std::string to_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// ASCII only: it is printed, and what stands in it may be a session's (control characters of 0x80 and above,
// marks that turn the direction of text).
std::string to_text(const json& value) {
    return value.dump(2, ' ', true, json::error_handler_t::replace) + '\n';
}

std::optional<json> parse_json(std::string_view text) {
    if (too_deep(text)) return std::nullopt;
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

std::string get_string(const json& object, std::string_view key) {
    const json& value = member(object, key);
    if (!value.is_string()) throw fatal("'{}' is no string", key);
    return value.get<std::string>();
}

std::int64_t get_int(const json& object, std::string_view key) {
    const std::optional<std::int64_t> number = integer(member(object, key));
    if (!number) throw fatal("'{}' is no integer", key);
    return *number;
}

bool get_bool(const json& object, std::string_view key) {
    const json& value = member(object, key);
    if (!value.is_boolean()) throw fatal("'{}' is neither true nor false", key);
    return value.get<bool>();
}

std::vector<std::string> get_strings(const json& object, std::string_view key) {
    const json& value = member(object, key);
    if (!value.is_array()) throw fatal("'{}' is no list of strings", key);
    std::vector<std::string> strings;
    for (const json& element : value) {
        if (!element.is_string()) throw fatal("'{}' is no list of strings", key);
        strings.push_back(element.get<std::string>());
    }
    return strings;
}

std::string find_string(const json& object, std::string_view key, std::string otherwise) {
    const json* value = find_member(object, key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::move(otherwise);
}

std::int64_t find_int(const json& object, std::string_view key, std::int64_t otherwise) {
    const json* value = find_member(object, key);
    return value != nullptr ? integer(*value).value_or(otherwise) : otherwise;
}

bool find_bool(const json& object, std::string_view key, bool otherwise) {
    const json* value = find_member(object, key);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

} // namespace scad::base
