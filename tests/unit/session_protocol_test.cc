// Messages between clients and a supervisor survive the way there and back, and nothing malformed is obeyed.
#include "session/protocol.h"

#include <catch2/catch.hpp>

#include <string>

using namespace scad::session;

TEST_CASE("a request comes out as it went in", "[protocol]") {
    Request request;
    request.kind = GENERATE(Request::Kind::start_job, Request::Kind::follow, Request::Kind::exec,
                            Request::Kind::service, Request::Kind::signal, Request::Kind::cancel,
                            Request::Kind::snapshot, Request::Kind::settle, Request::Kind::stop);
    request.number = 18'446'744'073'709'551'615U;
    request.follow = true;
    request.signal = 15;
    request.argv = {"sh", "-c", "echo \"a b\"\n", ""};
    request.environment = {"A=1", "B=ü"};
    request.directory = "/work/code";
    request.secrets = {{"KEY", "v\"alue\\\n"}};
    const auto decoded = decode_request(encode(request));
    REQUIRE(decoded);
    CHECK(decoded->kind == request.kind);
    CHECK(decoded->number == request.number);
    CHECK(decoded->follow);
    CHECK(decoded->signal == 15);
    CHECK(decoded->argv == request.argv);
    CHECK(decoded->environment == request.environment);
    CHECK(decoded->directory == request.directory);
    CHECK(decoded->secrets == request.secrets);
}

TEST_CASE("a reply comes out as it went in", "[protocol]") {
    const auto kind = GENERATE(Reply::Kind::ok, Reply::Kind::error, Reply::Kind::tick, Reply::Kind::ended,
                               Reply::Kind::saved);
    const auto decoded = decode_reply(encode(Reply{kind, 139, 7, "done"}));
    REQUIRE(decoded);
    CHECK(decoded->kind == kind);
    CHECK(decoded->wait_status == 139);
    CHECK(decoded->number == 7);
    CHECK(decoded->message == "done");
}

TEST_CASE("what is no message of this version is refused", "[protocol]") {
    const auto* body =
        GENERATE("", "{", "[]", "null", "7", R"({"version": 1})", R"({"version": 1, "kind": "dance"})",
                 R"({"version": 2, "kind": "stop"})", R"({"version": "1", "kind": "stop"})",
                 R"({"version": 1.0, "kind": "stop"})", R"({"version": 1, "kind": 3})",
                 R"({"version": 1, "kind": "cancel", "number": -1})",
                 R"({"version": 1, "kind": "cancel", "number": "1"})",
                 R"({"version": 1, "kind": "cancel", "number": 1.5})",
                 R"({"version": 1, "kind": "signal", "signal": 4294967296})",
                 R"({"version": 1, "kind": "exec", "argv": "ls"})",
                 R"({"version": 1, "kind": "exec", "argv": ["ls", 1]})",
                 R"({"version": 1, "kind": "exec", "argv": ["l\u0000s"]})",
                 R"({"version": 1, "kind": "start_job", "secrets": {"A": 1}})",
                 R"({"version": 1, "kind": "start_job", "secrets": {"A": "\u0000"}})");
    CAPTURE(body);
    CHECK_FALSE(decode_request(body));
    CHECK_FALSE(decode_reply(R"({"version": 2, "kind": "ok"})"));
    CHECK_FALSE(decode_reply(R"({"version": 1, "kind": "ok", "wait_status": "x"})"));
}

TEST_CASE("unknown keys are passed over", "[protocol]") {
    CHECK(decode_request(R"({"version": 1, "kind": "stop", "politely": true})"));
    CHECK(decode_reply(R"({"version": 1, "kind": "ok", "mood": "good"})"));
    CHECK(decode_request(R"({"kind": "settle"})")); // only the first message has to name the version
}

TEST_CASE("why a supervisor could not start comes through its pipe", "[protocol]") {
    const Failure failure = parse_failure(failure_text({"cannot mount '/a\nb'", "git scad doctor"}));
    CHECK(failure.message == "cannot mount '/a\nb'");
    CHECK(failure.hint == "git scad doctor");
    CHECK(parse_failure("plain words\n").message == "plain words");
}
