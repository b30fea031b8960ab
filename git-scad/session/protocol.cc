#include "session/protocol.h"

#include "base/json.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace scad::session {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<Request::Kind, std::string_view>, 11> request_kinds{{
    {Request::Kind::start_job, "start_job"},
    {Request::Kind::follow, "follow"},
    {Request::Kind::exec, "exec"},
    {Request::Kind::service, "service"},
    {Request::Kind::signal, "signal"},
    {Request::Kind::cancel, "cancel"},
    {Request::Kind::snapshot, "snapshot"},
    {Request::Kind::freeze, "freeze"},
    {Request::Kind::thaw, "thaw"},
    {Request::Kind::settle, "settle"},
    {Request::Kind::stop, "stop"},
}};

constexpr std::array<std::pair<Reply::Kind, std::string_view>, 6> reply_kinds{{
    {Reply::Kind::ok, "ok"},
    {Reply::Kind::error, "error"},
    {Reply::Kind::tick, "tick"},
    {Reply::Kind::ended, "ended"},
    {Reply::Kind::saved, "saved"},
    {Reply::Kind::terminal, "terminal"},
}};

template <class Table, class Kind> std::string name_of(const Table& table, Kind kind) {
    for (const auto& [value, name] : table) {
        if (value == kind) return std::string(name);
    }
    return {};
}

template <class Kind, std::size_t size>
std::optional<Kind> kind_of(const std::array<std::pair<Kind, std::string_view>, size>& table,
                            std::string_view wanted) {
    for (const auto& [value, name] : table) {
        if (name == wanted) return value;
    }
    return std::nullopt;
}

// The object in `body` when it is one of a version that is spoken here.
std::optional<json> parse_message(std::string_view body) {
    std::optional<json> message = base::parse_json(body);
    if (!message || !message->is_object()) return std::nullopt;
    auto version = message->find("version");
    if (version != message->end() && (!version->is_number_integer() || *version != protocol_version)) {
        return std::nullopt;
    }
    return message;
}

// Reads one value; a missing one leaves `into` as it is. False when it is of another type.
bool read_number(const json& message, const char* key, std::uint64_t& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_number_unsigned()) return false;
    into = found->get<std::uint64_t>();
    return true;
}

bool read_int(const json& message, const char* key, int& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_number_integer()) return false;
    const auto value = found->get<std::int64_t>();
    into = static_cast<int>(value);
    return into == value;
}

bool read_bool(const json& message, const char* key, bool& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_boolean()) return false;
    into = found->get<bool>();
    return true;
}

bool read_text(const json& message, const char* key, std::string& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_string()) return false;
    into = found->get<std::string>();
    return true;
}

// No word may hold a NUL: the kernel would end it there.
bool read_words(const json& message, const char* key, std::vector<std::string>& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_array()) return false;
    for (const json& word : *found) {
        if (!word.is_string() || word.get_ref<const std::string&>().find('\0') != std::string::npos) {
            return false;
        }
        into.push_back(word.get<std::string>());
    }
    return true;
}

bool read_map(const json& message, const char* key, std::map<std::string, std::string>& into) {
    auto found = message.find(key);
    if (found == message.end()) return true;
    if (!found->is_object()) return false;
    for (const auto& [name, value] : found->items()) {
        if (!value.is_string() || value.get_ref<const std::string&>().find('\0') != std::string::npos) {
            return false;
        }
        into[name] = value.get<std::string>();
    }
    return true;
}

} // namespace

std::string encode(const Request& request) {
    json message{{"version", protocol_version}, {"kind", name_of(request_kinds, request.kind)}};
    if (request.number != 0) message["number"] = request.number;
    if (request.follow) message["follow"] = true;
    if (request.signal != 0) message["signal"] = request.signal;
    if (!request.argv.empty()) message["argv"] = request.argv;
    if (!request.environment.empty()) message["environment"] = request.environment;
    if (!request.directory.empty()) message["directory"] = request.directory;
    if (!request.secrets.empty()) message["secrets"] = request.secrets;
    if (request.terminal) {
        message["terminal"] = true;
        message["rows"] = request.rows;
        message["columns"] = request.columns;
    }
    return base::to_line(message);
}

std::string encode(const Reply& reply) {
    json message{{"version", protocol_version}, {"kind", name_of(reply_kinds, reply.kind)}};
    if (reply.wait_status != 0) message["wait_status"] = reply.wait_status;
    if (reply.number != 0) message["number"] = reply.number;
    if (!reply.message.empty()) message["message"] = reply.message;
    return base::to_line(message);
}

std::optional<Request> decode_request(std::string_view body) {
    const std::optional<json> message = parse_message(body);
    if (!message) return std::nullopt;
    const std::optional<Request::Kind> kind = kind_of(request_kinds, base::find_string(*message, "kind"));
    if (!kind) return std::nullopt;
    Request request;
    request.kind = *kind;
    const bool good =
        read_number(*message, "number", request.number) && read_bool(*message, "follow", request.follow) &&
        read_int(*message, "signal", request.signal) && read_words(*message, "argv", request.argv) &&
        read_words(*message, "environment", request.environment) &&
        read_text(*message, "directory", request.directory) &&
        read_map(*message, "secrets", request.secrets) && read_bool(*message, "terminal", request.terminal) &&
        read_number(*message, "rows", request.rows) && read_number(*message, "columns", request.columns);
    if (!good) return std::nullopt;
    return request;
}

std::optional<Reply> decode_reply(std::string_view body) {
    const std::optional<json> message = parse_message(body);
    if (!message) return std::nullopt;
    const std::optional<Reply::Kind> kind = kind_of(reply_kinds, base::find_string(*message, "kind"));
    if (!kind) return std::nullopt;
    Reply reply;
    reply.kind = *kind;
    const bool good = read_int(*message, "wait_status", reply.wait_status) &&
                      read_number(*message, "number", reply.number) &&
                      read_text(*message, "message", reply.message);
    if (!good) return std::nullopt;
    return reply;
}

std::string failure_text(const Failure& failure) {
    return base::to_line(json{{"message", failure.message}, {"hint", failure.hint}});
}

Failure parse_failure(const std::string& text) {
    const auto parsed = base::parse_json(text);
    if (!parsed || !parsed->is_object()) return {std::string(base::trim(text)), {}};
    return {base::find_string(*parsed, "message"), base::find_string(*parsed, "hint")};
}

} // namespace scad::session
