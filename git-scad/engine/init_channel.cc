#include "engine/init_channel.h"

#include "base/error.h"

#include <cstring>
#include <fmt/format.h>
#include <type_traits>

namespace scad::engine {

namespace {

void append(std::string& payload, const std::string& text, std::string_view what) {
    if (text.find('\0') != std::string::npos) throw fatal("{} of a job has a NUL byte in it", what);
    payload += text;
    payload += '\0';
}

} // namespace

std::string encode_request(protocol::RequestKind kind, std::uint64_t id, int number) {
    static_assert(std::is_trivially_copyable_v<protocol::Request>);
    protocol::Request request;
    request.kind = kind;
    request.id = id;
    request.number = number;
    std::string body(sizeof request, '\0');
    std::memcpy(body.data(), &request, sizeof request);
    return body;
}

std::string encode_job(const JobStart& job) {
    if (job.argv.empty() || job.argv.front().empty()) throw fatal("a job needs a program");
    protocol::JobHeader header;
    header.arguments = static_cast<std::uint32_t>(job.argv.size());
    header.variables = static_cast<std::uint32_t>(job.environment.size());
    std::string payload(sizeof header, '\0');
    append(payload, job.directory, "the directory");
    for (const std::string& word : job.argv) append(payload, word, "an argument");
    for (const std::string& variable : job.environment) append(payload, variable, "an environment variable");
    if (payload.size() > protocol::payload_limit)
        throw fatal("the arguments and the environment of a job are longer than {} MiB",
                    protocol::payload_limit >> 20);
    header.size = payload.size();
    std::memcpy(payload.data(), &header, sizeof header);
    return payload;
}

std::optional<protocol::Reply> decode_reply(std::string_view body) {
    static_assert(std::is_trivially_copyable_v<protocol::Reply>);
    protocol::Reply reply;
    if (body.size() != sizeof reply) return std::nullopt;
    std::memcpy(&reply, body.data(), sizeof reply);
    if (reply.version != protocol::version) return std::nullopt;
    reply.text[sizeof reply.text - 1] = '\0';
    return reply;
}

} // namespace scad::engine
