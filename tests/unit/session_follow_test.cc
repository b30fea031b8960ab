// A reader that follows a job's files sees each byte once, whenever it looks, and is told of what it missed.
#include "session/follow.h"

#include "base/file.h"
#include "base/text.h"
#include "session/capped_log.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <filesystem>
#include <string>

using namespace scad::session;

namespace {

constexpr std::uint64_t limit = 1600;

struct Place {
    std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("scad-follow-" + scad::base::random_hex(8));
    Place() { scad::base::make_directories(directory); }
    ~Place() { scad::base::remove_tree(directory); }
    void append(const std::string& name, const std::string& text) const {
        const auto file = scad::base::open_file(directory / name, O_WRONLY | O_CREAT | O_APPEND);
        scad::base::write_all(file.get(), text);
    }
};

std::string numbers(int from, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::to_string(100000 + from + i) + "\n";
    return text;
}

std::string all_of(OutputFollower& follower) {
    std::string text;
    for (std::string more = follower.read(); !more.empty(); more = follower.read()) text += more;
    return text;
}

} // namespace

TEST_CASE("output is followed through all shapes of the log", "[follow]") {
    const Place place;
    const int step = GENERATE(1, 7, 20, 60);
    const int total = GENERATE(20, 120, 200, 400);
    CappedLog log(place.directory / "output.log", limit);
    OutputFollower follower(place.directory, limit);
    std::string seen;
    for (int i = 0; i < total; i += step) {
        log.write(numbers(i, step));
        seen += all_of(follower);
    }
    const std::string wanted = numbers(0, (total + step - 1) / step * step);
    CHECK(seen == wanted);
    log.finish();
    CHECK(all_of(follower).empty());
}

TEST_CASE("a follower that comes late reads on where the log goes on", "[follow]") {
    const Place place;
    CappedLog log(place.directory / "output.log", limit);
    OutputFollower follower(place.directory, limit);
    const int first = GENERATE(0, 10, 130); // numbers that it reads in time
    log.write(numbers(0, first));
    std::string seen = all_of(follower);
    CHECK(seen == numbers(0, first));
    log.write(numbers(first, 2000));
    const bool at_end = GENERATE(true, false);
    if (at_end) log.finish();
    seen += all_of(follower);
    const std::string whole = numbers(0, first + 2000);
    const std::size_t cut = seen.find("\n[scad: ");
    REQUIRE(cut != std::string::npos);
    const auto line = parse_cut_line(seen.substr(cut));
    REQUIRE(line);
    CHECK(whole.starts_with(seen.substr(0, cut)));
    CHECK(whole.ends_with(seen.substr(cut + line->length)));
    CHECK(seen.size() - line->length + line->left_out == whole.size());
    if (!at_end) log.finish();
    CHECK(all_of(follower).empty());
}

TEST_CASE("a log that is there already is read to its end", "[follow]") {
    const Place place;
    OutputFollower nothing(place.directory, limit);
    CHECK(nothing.read().empty());
    place.append("output.log", "hello\n");
    CHECK(all_of(nothing) == "hello\n");
}

TEST_CASE("events are handed on as whole lines", "[follow]") {
    const Place place;
    EventFollower follower(place.directory);
    CHECK(follower.read().empty());
    scad::agent::Event event;
    event.kind = scad::agent::Event::Kind::text;
    event.text = "hello";
    const std::string line = scad::agent::to_json_line(event, 1) + "\n";
    place.append("events.jsonl", line + "no event\n" + line.substr(0, 10));
    auto events = follower.read();
    REQUIRE(events.size() == 1);
    CHECK(events[0].text == "hello");
    CHECK(follower.read().empty());
    place.append("events.jsonl", line.substr(10));
    CHECK(follower.read().size() == 1);
}
