#pragma once

#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::base {

// One document of scad's own on disk: {"version": n, …}. Fatal (with the path) when it cannot be read, is no
// JSON object, has no version, or has one above `newest` ("written by a newer scad").
nlohmann::json read_document(const std::filesystem::path& path, int newest);
std::optional<nlohmann::json> read_document_if_exists(const std::filesystem::path& path, int newest);
void write_document(const std::filesystem::path& path, const nlohmann::json& document,
                    Durability durability = Durability::synced);

// JSON on one line; invalid UTF-8 becomes U+FFFD.
std::string to_line(const nlohmann::json& value);
std::string to_text(const nlohmann::json& value); // indented by two, ends in a newline
// Parses; empty when `text` is no JSON.
std::optional<nlohmann::json> parse_json(std::string_view text);

// Typed reading of `object[key]`. Fatal when it is missing or of another type (numbers are not converted: 3.9
// is no integer, true is no 1).
std::string get_string(const nlohmann::json& object, std::string_view key);
std::int64_t get_int(const nlohmann::json& object, std::string_view key);
bool get_bool(const nlohmann::json& object, std::string_view key);
std::vector<std::string> get_strings(const nlohmann::json& object, std::string_view key);
// The same, or `otherwise` when it is missing, null or of another type: for what a session or an agent wrote.
std::string find_string(const nlohmann::json& object, std::string_view key, std::string otherwise = {});
std::int64_t find_int(const nlohmann::json& object, std::string_view key, std::int64_t otherwise = 0);
bool find_bool(const nlohmann::json& object, std::string_view key, bool otherwise = false);

} // namespace scad::base
