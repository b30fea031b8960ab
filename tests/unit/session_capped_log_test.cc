// A job's log keeps its beginning and its end within its limit, and says what is missing.
#include "session/capped_log.h"

#include "base/file.h"
#include "base/text.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

using namespace scad::session;

namespace {

struct Place {
    std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("scad-log-" + scad::base::random_hex(8));
    std::filesystem::path log = directory / "output.log";
    Place() { scad::base::make_directories(directory); }
    ~Place() { scad::base::remove_tree(directory); }
    std::size_t files() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
        return count;
    }
};

std::string numbers(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::to_string(100000 + i) + "\n"; // 7 bytes each
    return text;
}

} // namespace

TEST_CASE("a log below its limit is as it was written", "[capped_log]") {
    const Place place;
    const std::string text = numbers(GENERATE(0, 1, 50, 100, 142)); // the limit is 1000
    {
        CappedLog log(place.log, 1000);
        for (std::size_t at = 0; at < text.size(); at += 13) log.write(text.substr(at, 13));
        log.finish();
        CHECK(log.left_out() == 0);
    }
    CHECK(scad::base::read_file(place.log) == text);
    CHECK(place.files() == 1);
}

TEST_CASE("of a longer one both ends are kept", "[capped_log]") {
    const Place place;
    const std::string text = numbers(GENERATE(150, 300, 5000));
    const std::size_t piece = GENERATE(as<std::size_t>{}, 1, 13, 700, 100000);
    CappedLog log(place.log, 1600);
    for (std::size_t at = 0; at < text.size(); at += piece) log.write(text.substr(at, piece));
    log.finish();
    const std::string kept = scad::base::read_file(place.log);
    CHECK(place.files() == 1);
    if (text.size() <= 1600) {
        CHECK(kept == text);
        return;
    }
    const auto cut = parse_cut_line(kept.substr(800));
    REQUIRE(cut);
    CHECK(cut->left_out == log.left_out());
    CHECK(kept.substr(0, 800) == text.substr(0, 800));
    const std::string tail = kept.substr(800 + cut->length);
    CHECK(tail.size() <= 800);
    CHECK(tail.size() >= 700);
    CHECK(text.ends_with(tail));
    CHECK(800 + cut->left_out + tail.size() == text.size());
}

TEST_CASE("a log whose writer was killed is made whole", "[capped_log]") {
    const Place place;
    const std::string text = numbers(2000);
    {
        CappedLog log(place.log, 1600);
        log.write(text);
    }
    CHECK(place.files() > 1);
    CappedLog::mend(place.log);
    CHECK(place.files() == 1);
    const std::string kept = scad::base::read_file(place.log);
    const auto cut = parse_cut_line(kept.substr(800));
    REQUIRE(cut);
    CHECK(text.ends_with(kept.substr(800 + cut->length)));
    CHECK(800 + cut->left_out + (kept.size() - 800 - cut->length) == text.size());
    CappedLog::mend(place.log);
    CHECK(scad::base::read_file(place.log) == kept);
    CappedLog::mend(place.directory / "nothing.log");
}

TEST_CASE("the cut line is read as it is written", "[capped_log]") {
    const auto cut = parse_cut_line(cut_line(123456789) + "rest");
    REQUIRE(cut);
    CHECK(cut->left_out == 123456789);
    CHECK(cut->length == cut_line(123456789).size());
    CHECK_FALSE(parse_cut_line("\n[scad: x bytes are left out here]\n"));
    CHECK_FALSE(parse_cut_line("\n[scad: 1"));
    CHECK_FALSE(parse_cut_line(""));
}
