// events.jsonl is written and read the same, and nothing else is taken for an event.
#include "agent/events.h"

#include "base/error.h"

#include <catch2/catch.hpp>

using namespace scad::agent;

TEST_CASE("an event survives being written and read") {
    Event event;
    event.kind = Event::Kind::result;
    event.text = "done: \"x\"\n\x1b[31m";
    event.name = "n";
    event.conversation = "c";
    event.model = "m";
    event.input_tokens = 1;
    event.output_tokens = -2;
    event.cache_read_tokens = 3;
    event.cache_write_tokens = 4;
    event.cost = 0.25;
    event.failed = true;
    auto line = to_json_line(event, 1700000000);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(from_json_line(line) == event);
}

TEST_CASE("short events, each kind") {
    CHECK(to_json_line({}, 5) == R"({"kind":"text","time":5})");
    for (auto kind : {Event::Kind::started, Event::Kind::text, Event::Kind::tool, Event::Kind::waiting,
                      Event::Kind::usage, Event::Kind::error, Event::Kind::result}) {
        Event event;
        event.kind = kind;
        CHECK(from_json_line(to_json_line(event, 0)) == event);
        CHECK(to_json_line(event, 0).find(kind_name(kind)) != std::string::npos);
    }
}

TEST_CASE("bytes that are no UTF-8 can be written") {
    Event event;
    event.text = "a\xff\xfe";
    auto read = from_json_line(to_json_line(event, 0));
    REQUIRE(read);
    CHECK(read->text == "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("what is no event") {
    for (const char* line : {"", "x", "[]", "1", "{}", R"({"kind":1})", R"({"kind":"other"})"}) {
        INFO(line);
        CHECK_FALSE(from_json_line(line));
    }
    auto odd = from_json_line(R"({"kind":"tool","text":1,"input_tokens":"x","cost":"y","failed":1})");
    REQUIRE(odd);
    CHECK(odd->text.empty());
    CHECK_FALSE(odd->failed);
}

TEST_CASE("readers by name") {
    CHECK(make_reader("claude"));
    CHECK(make_reader("text"));
    CHECK_THROWS_AS(make_reader("other"), scad::Error);
}
