// An agent's success is believed only on evidence, and no stream, however broken or hostile, does harm.
#include "agent/events.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>

using namespace scad::agent;
using Kind = Event::Kind;

namespace {

const int exit_1 = W_EXITCODE(1, 0);

struct Run {
    std::vector<Event> events;
    Verdict verdict;
};

Run run(const std::string& reader_name, const std::string& stream, int status = 0,
        const std::string& err = {}, std::size_t piece = std::string::npos) {
    auto reader = make_reader(reader_name);
    Run result;
    for (std::size_t at = 0; at < stream.size(); at += std::min(piece, stream.size())) {
        auto some = reader->feed(std::string_view(stream).substr(at, piece));
        result.events.insert(result.events.end(), some.begin(), some.end());
    }
    auto last = reader->end();
    result.events.insert(result.events.end(), last.begin(), last.end());
    result.verdict = reader->finish(status, err);
    return result;
}

std::string reason(const std::string& stream, int status = 0, const std::string& err = {}) {
    auto verdict = run("claude", stream, status, err).verdict;
    CHECK(verdict.ok == verdict.reason.empty());
    CHECK(verdict.reason.find('\n') == std::string::npos);
    return verdict.reason;
}

const std::string init =
    R"({"type":"system","subtype":"init","session_id":"id-1","model":"claude-x","cwd":"/work/code","tools":["Bash"]})"
    "\n";
const std::string text =
    R"({"message":{"role":"assistant","model":"claude-x","content":[{"type":"text","text":"Looking."}],"usage":{"input_tokens":9,"output_tokens":1}},"session_id":"id-1","type":"assistant"})"
    "\n";
const std::string tool =
    R"({"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"git\nstatus","description":"look"}}]}})"
    "\n";
const std::string tool_ok =
    R"({"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":"clean","is_error":false}]}})"
    "\n";
const std::string tool_bad =
    R"({"type":"user","message":{"content":[{"tool_use_id":"t1","type":"tool_result","content":[{"type":"text","text":"Exit code 3"}],"is_error":true}]}})"
    "\n";
const std::string retry =
    R"({"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"retry_delay_ms":550.5,"error_status":529,"error":"overloaded"})"
    "\n";

std::string result(const std::string& more = {}, const std::string& said = "All done.") {
    return R"({"type":"result","subtype":"success","is_error":false,"num_turns":2,"result":")" + said +
           R"(","session_id":"id-1","total_cost_usd":0.5,"usage":{"input_tokens":10,"output_tokens":20,"cache_read_input_tokens":30,"cache_creation_input_tokens":40},"permission_denials":[])" +
           more + "}\n";
}

} // namespace

TEST_CASE("claude: a good run") {
    auto good = run("claude", init + text + tool + tool_ok + init + result());
    REQUIRE(good.events.size() == 5);
    CHECK(good.events[0].kind == Kind::started);
    CHECK(good.events[0].conversation == "id-1");
    CHECK(good.events[0].model == "claude-x");
    CHECK(good.events[1].kind == Kind::text);
    CHECK(good.events[1].text == "Looking.");
    CHECK(good.events[2].kind == Kind::tool);
    CHECK(good.events[2].name == "Bash");
    CHECK(good.events[2].text == "Bash: git status");
    CHECK(good.events[3].kind == Kind::usage);
    CHECK(good.events[3].cache_write_tokens == 40);
    CHECK(good.events[4].kind == Kind::result);
    CHECK(good.events[4].text == "All done.");
    CHECK(good.events[4].input_tokens == 10);
    CHECK(good.events[4].output_tokens == 20);
    CHECK(good.events[4].cache_read_tokens == 30);
    CHECK(good.events[4].cost == 0.5);
    CHECK_FALSE(good.events[4].failed);
    CHECK(good.verdict.ok);
    CHECK(good.verdict.reason.empty());
}

TEST_CASE("claude: the same events wherever the stream is cut") {
    const auto stream = init + text + "noise\n\n" + tool + tool_bad + retry +
                        result({},
                               "Gr\xc3\xbc\xc3\x9f"
                               "e");
    auto whole = run("claude", stream);
    CHECK(whole.events.size() == 7);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        auto reader = make_reader("claude");
        auto events = reader->feed(std::string_view(stream).substr(0, cut));
        auto more = reader->feed(std::string_view(stream).substr(cut));
        events.insert(events.end(), more.begin(), more.end());
        if (events != whole.events || !reader->finish(0, {}).ok) FAIL("cut at " << cut);
    }
    CHECK(run("claude", stream, 0, {}, 1).events == whole.events);
    // The last newline may be missing.
    auto bare = stream.substr(0, stream.size() - 1);
    CHECK(run("claude", bare).events == whole.events);
    auto reader = make_reader("claude");
    reader->feed(bare);
    CHECK(reader->finish(0, {}).ok);
}

TEST_CASE("claude: a tool that failed and a retry are told, and are no failure of the job") {
    auto events = run("claude", init + retry + tool + tool_bad + text + result()).events;
    REQUIRE(events.size() == 7);
    CHECK(events[1].kind == Kind::text);
    CHECK(events[1].name == "api_retry");
    CHECK(events[1].text == "API error 529 overloaded, retry 1 of 10 in 0 s");
    CHECK(events[3].kind == Kind::tool);
    CHECK(events[3].failed);
    CHECK(events[3].text == "Bash failed: Exit code 3");
    CHECK(reason(init + retry + tool + tool_bad + text + result()).empty());
    // No answer, so no status.
    events = run("claude", R"({"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,)"
                           R"("retry_delay_ms":1000,"error_status":null,"error":"unknown"})"
                           "\n")
                 .events;
    REQUIRE(!events.empty());
    CHECK(events[0].text == "no answer from the API, retry 2 of 10 in 1 s");
}

TEST_CASE("claude: summaries of tools") {
    auto summary = [](const std::string& input, const std::string& name = "Tool") {
        auto line = R"({"type":"assistant","message":{"content":[{"type":"tool_use","name":")" + name +
                    R"(","input":)" + input + "}]}}\n";
        auto events = run("claude", line).events;
        return events.empty() ? "(none)" : events[0].text;
    };
    CHECK(summary(R"({"file_path":"/work/a.cc","content":"x"})", "Write") == "Write: /work/a.cc");
    CHECK(summary(R"({"pattern":"a b","path":"/work"})", "Grep") == "Grep: a b");
    CHECK(summary(R"({"url":"https://x"})", "WebFetch") == "WebFetch: https://x");
    CHECK(summary(R"({"todos":[1,2]})", "TodoWrite") == "TodoWrite");
    CHECK(summary(R"({"command":5})") == "Tool");
    CHECK(summary("null") == "Tool");
    CHECK(summary(R"("text")") == "Tool");
    CHECK(summary(R"({"command":"\u001b[2Jx"})").find('\x1b') == std::string::npos);
    CHECK(summary("{\"command\":\"" + std::string(100000, 'a') + "\"}").size() < 300);
}

TEST_CASE("claude: what is no success") {
    CHECK(reason(init + text + result(), exit_1) == "exited with status 1 after its result");
    CHECK(
        reason(
            init + text +
                R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 529 overloaded"})"
                "\n",
            exit_1) == "API Error: 529 overloaded");
    CHECK(
        reason(
            init + text +
                R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 529 overloaded"})"
                "\n",
            0) == "API Error: 529 overloaded");
    CHECK(reason(init + text +
                 R"({"type":"result","subtype":"error_max_turns","is_error":false,"permission_denials":[]})"
                 "\n") == "error_max_turns");
    CHECK(reason(
              init + text +
              R"({"type":"result","subtype":"error_during_execution","is_error":true,"errors":["it\nbroke"]})"
              "\n") == "error_during_execution: it broke");
    CHECK(
        reason(
            init + text +
            R"({"type":"result","subtype":"success","is_error":false,"result":"x","permission_denials":[{"tool_name":"Bash","tool_use_id":"1"},{"tool_name":"Bash"},{"tool_name":"Write"}]})"
            "\n") == "denied tool: Bash, Write");
    CHECK(reason(init + text + tool + tool_ok + result({}, " \\n")) == "empty result");
    CHECK(
        reason(
            init +
            R"({"type":"result","subtype":"success","is_error":false,"result":"","usage":{"output_tokens":0}})"
            "\n") == "did nothing");
    CHECK(
        reason(
            init +
            R"({"type":"result","subtype":"success","is_error":false,"result":"Unknown skill: x","usage":{"output_tokens":0}})"
            "\n") == "did nothing: Unknown skill: x");
    // The program's own words are no work of the model's.
    CHECK(
        reason(
            init +
            R"({"type":"assistant","message":{"model":"<synthetic>","content":[{"type":"text","text":"Not logged in"}]}})"
            "\n"
            R"({"type":"result","subtype":"success","is_error":false,"result":"Not logged in"})"
            "\n") == "did nothing: Not logged in");
}

TEST_CASE("claude: an end without a result") {
    CHECK(reason("") == "ended without a result (exited with status 0)");
    CHECK(reason(init + text, SIGTERM) == "ended without a result (was killed by SIGTERM)");
    CHECK(reason(init, exit_1, "warning\nError: no such session\n\n") ==
          "ended without a result (exited with status 1): Error: no such session");
    CHECK(reason(init + retry, SIGKILL).find("last was API error 529 overloaded") != std::string::npos);
    // A later result counts, an earlier one does not save a run that went on badly.
    CHECK(reason(init + text + result() +
                 R"({"type":"result","subtype":"success","is_error":true,"result":"late"})"
                 "\n") == "late");
}

TEST_CASE("claude: wrong types everywhere") {
    const std::vector<std::string> values = {
        "null",
        "true",
        "1",
        "-1.5",
        "1e999",
        "\"x\"",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[{}]",
        "18446744073709551615",
        R"([{"type":"text","text":1}])",
        R"([{"type":"tool_use","id":[],"name":{},"input":[]}])",
        R"([{"type":"tool_result","tool_use_id":1,"is_error":true,"content":7}])"};
    for (const auto& v : values) {
        // @: the value, $: the type
        auto fill = [&](std::string line, const std::string& type = {}) {
            for (auto at = line.find_first_of("@$"); at != std::string::npos;) {
                const auto& with = line[at] == '@' ? v : type;
                line.replace(at, 1, with);
                at = line.find_first_of("@$", at + with.size());
            }
            return line + "\n";
        };
        std::string stream = fill("@") + fill(R"({"type":@})");
        for (const char* type : {"system", "assistant", "user", "result", "error", "stream_event"}) {
            for (
                const char* line :
                {R"({"type":"$","subtype":@,"message":@,"session_id":@})",
                 R"({"type":"$","message":{"content":@,"model":@},"error":@})",
                 R"({"type":"$","subtype":"init","session_id":@,"model":@})",
                 R"({"type":"$","subtype":"api_retry","attempt":@,"error":@,"error_status":@})",
                 R"({"type":"$","is_error":@,"result":@,"permission_denials":@,"usage":@,"errors":@,"total_cost_usd":@})"}) {
                stream += fill(line, type);
            }
        }
        INFO(v);
        CHECK_FALSE(reason(stream).empty());
        // is_error false is believed only as exactly that, and no denial as no list of them.
        auto start = init + text;
        auto odd = fill(R"({"type":"result","subtype":"success","result":"x","is_error":@})");
        CHECK_FALSE(reason(start + odd).empty());
        auto denials = fill(R"({"type":"result","result":"x","is_error":false,"permission_denials":@})");
        CHECK(reason(start + denials).empty() == (v == "null" || v == "[]"));
    }
}

TEST_CASE("claude: hostile bytes") {
    std::string nuls("{\"type\":\"assistant\",\"message\":{\"content\":\"a\0b\"}}\n", 48);
    CHECK(run("claude", nuls + std::string(5000, '\0') + "\n" + init + text + result()).verdict.ok);
    std::string invalid =
        "{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\xff\xc3z\"}]}}\n";
    auto events = run("claude", invalid).events;
    REQUIRE(events.size() == 1);
    CHECK(events[0].text == "a??z");
    CHECK(run("claude", std::string(1 << 20, '[') + "\n" + init + text + result()).verdict.ok);
    CHECK(run("claude", std::string(1 << 20, '{') + "\n" + init + text + result()).verdict.ok);
}

TEST_CASE("claude: a line of 100 MB costs no more than its first 8 MiB") {
    auto reader = make_reader("claude");
    std::string piece(1 << 20, 'x');
    reader->feed(init + text + "{\"type\":\"assistant\",\"message\":{\"content\":\"");
    for (int i = 0; i < 100; ++i) CHECK(reader->feed(piece).empty());
    CHECK(reader->feed("\"}}\n").empty());
    reader->feed(result());
    CHECK(reader->finish(0, {}).ok);

    auto cut = make_reader("claude");
    cut->feed(init);
    for (int i = 0; i < 9; ++i) cut->feed(piece);
    CHECK(cut->finish(0, {}).reason ==
          "ended without a result (exited with status 0): its last line was over 8 MiB");
}

TEST_CASE("text: each line is an event, success is the exit status") {
    auto lines = run("text", "one\r\n\ntwo\nlast");
    REQUIRE(lines.events.size() == 4);
    CHECK(lines.events[0].text == "one");
    CHECK(lines.events[1].text.empty());
    CHECK(lines.events[2].text == "two");
    CHECK(lines.events[3].text == "last");
    CHECK(lines.verdict.ok);
    CHECK(run("text", "one\r\n\ntwo\nlast", 0, {}, 1).events == lines.events);
    CHECK(run("text", "", exit_1).verdict.reason == "exited with status 1");
    CHECK(run("text", "", exit_1, "x\nmake: *** failed\n").verdict.reason ==
          "exited with status 1: make: *** failed");
    CHECK(run("text", "", SIGKILL).verdict.reason == "was killed by SIGKILL");
    CHECK(run("text", std::string(9 << 20, 'x') + "\nshort\n").events.at(0).text.size() == (8 << 20));
}
