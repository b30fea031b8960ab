// What travels between scad and process 1 of a sandbox, and what a stage plan looks like: whole, cut, and
// lying about itself.
#include "base/error.h"
#include "engine/init/stage_plan.h"
#include "engine/init_channel.h"

#include <catch2/catch.hpp>
#include <cstring>

using namespace scad;
using namespace scad::engine;

namespace {

JobStart some_job() {
    JobStart job;
    job.id = 7;
    job.argv = {"/bin/sh", "-c", ""};
    job.environment = {"PATH=/bin", "TOKEN=x=y"};
    job.directory = "/work";
    return job;
}

void set_header(std::string& payload, const protocol::JobHeader& header) {
    std::memcpy(payload.data(), &header, sizeof header);
}
protocol::JobHeader header_of(const std::string& payload) {
    protocol::JobHeader header;
    std::memcpy(&header, payload.data(), sizeof header);
    return header;
}

} // namespace

TEST_CASE("a job's payload comes out as it went in") {
    std::string payload = encode_job(some_job());
    protocol::JobView view;
    REQUIRE(protocol::parse_job(payload, view));
    CHECK(std::string(view.directory) == "/work");
    REQUIRE(view.arguments.size() == 4);
    CHECK(std::string(view.arguments[0]) == "/bin/sh");
    CHECK(std::string(view.arguments[2]).empty());
    CHECK(view.arguments[3] == nullptr);
    REQUIRE(view.variables.size() == 3);
    CHECK(std::string(view.variables[1]) == "TOKEN=x=y");
    CHECK(view.variables[2] == nullptr);
}

TEST_CASE("a malformed payload is refused") {
    std::string payload = encode_job(some_job());
    protocol::JobHeader header = header_of(payload);
    protocol::JobView view;
    SECTION("empty") { payload.clear(); }
    SECTION("cut in the header") { payload.resize(sizeof header - 1); }
    SECTION("cut in a string") { payload.pop_back(); }
    SECTION("cut, and the size says so") {
        payload.pop_back();
        header.size = payload.size();
        set_header(payload, header);
    }
    SECTION("something behind") {
        payload += '\0';
        header.size = payload.size();
        set_header(payload, header);
    }
    SECTION("another version") {
        header.version += 1;
        set_header(payload, header);
    }
    SECTION("more arguments than there are") {
        header.arguments += 1;
        set_header(payload, header);
    }
    SECTION("far more variables than there are") {
        header.variables = 0xffffffff;
        set_header(payload, header);
    }
    SECTION("no program") {
        header.arguments = 0;
        set_header(payload, header);
    }
    CHECK_FALSE(protocol::parse_job(payload, view));
}

TEST_CASE("a job that cannot be sent is an error") {
    JobStart job = some_job();
    SECTION("no program") { job.argv.clear(); }
    SECTION("an empty program") { job.argv = {""}; }
    SECTION("NUL in an argument") { job.argv[1] = std::string("a\0b", 3); }
    SECTION("NUL in a variable") { job.environment[0] = std::string("A=\0", 3); }
    SECTION("too long") { job.argv[1] = std::string(protocol::payload_limit, 'x'); }
    CHECK_THROWS_AS(encode_job(job), Error);
}

TEST_CASE("replies of another shape are not understood") {
    protocol::Reply reply;
    reply.kind = protocol::ReplyKind::failed;
    reply.id = 3;
    std::memset(reply.text, 'x', sizeof reply.text); // without its NUL
    std::string body(reinterpret_cast<const char*>(&reply), sizeof reply);
    auto decoded = decode_reply(body);
    REQUIRE(decoded);
    CHECK(decoded->id == 3);
    CHECK(std::strlen(decoded->text) == sizeof reply.text - 1);
    CHECK_FALSE(decode_reply(body.substr(1)));
    CHECK_FALSE(decode_reply(body + "x"));
    CHECK_FALSE(decode_reply(""));
    body[0] = 99;
    CHECK_FALSE(decode_reply(body));
}

TEST_CASE("a request holds what it was made of") {
    std::string body = encode_request(protocol::RequestKind::signal, 5, 15);
    protocol::Request request;
    REQUIRE(body.size() == sizeof request);
    std::memcpy(&request, body.data(), sizeof request);
    CHECK(request.version == protocol::version);
    CHECK(request.kind == protocol::RequestKind::signal);
    CHECK(request.id == 5);
    CHECK(request.number == 15);
}

TEST_CASE("a stage plan comes out as it went in, or not at all") {
    std::vector<stage::Operation> plan = {{"bind", "0", "/a b"}, {"run", "/usr/bin/bwrap", "3"}};
    std::string text = stage::encode(plan);
    auto decoded = stage::decode(text);
    REQUIRE(decoded);
    CHECK(*decoded == plan);
    CHECK(stage::decode(stage::encode({}))->empty());
    CHECK_FALSE(stage::decode(""));
    CHECK_FALSE(stage::decode(text.substr(0, text.size() - 1)));
    CHECK_FALSE(stage::decode(text + "x"));
    CHECK_FALSE(stage::decode(text.substr(1)));
    CHECK_FALSE(stage::decode(text + std::string(1, '\0')));
}
