// No secret gets into a log, however the stream is cut into pieces.
#include "session/secret_mask.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace scad::session;

namespace {

std::string masked(const std::vector<std::string>& forms, const std::string& text, std::size_t piece) {
    SecretMask mask(forms);
    std::string safe;
    for (std::size_t at = 0; at < text.size(); at += piece) safe += mask.feed(text.substr(at, piece));
    return safe + mask.flush();
}

} // namespace

TEST_CASE("a secret is masked at every border of pieces", "[secret_mask]") {
    const std::vector<std::string> forms{"sk-12345678"};
    const std::string text = "key=sk-12345678; again sk-12345678sk-12345678 and sk-1234567 only";
    const std::string wanted = "key=***; again ****** and sk-1234567 only";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        CAPTURE(piece);
        CHECK(masked(forms, text, piece) == wanted);
    }
}

TEST_CASE("overlapping secrets leave nothing of either", "[secret_mask]") {
    struct Case {
        std::vector<std::string> forms;
        std::string text, wanted;
    };
    const auto c = GENERATE(values<Case>({
        {{"abcdefgh", "efghijkl"}, "xabcdefghijklx", "x***x"},
        {{"xxabcdefghyy", "abcdefgh"}, "1xxabcdefghyy2abcdefgh3", "1***2***3"},
        {{"xxabcdefghyy", "abcdefgh"}, "1xxabcdefghz", "1xx***z"},
        {{"abcdefgh", "abcdefghij"}, "abcdefghij abcdefgh", "*** ***"},
        {{"abababab"}, "ababababababX", "***X"},
        {{"aaaaaaaa"}, "aaaaaaaaaaaaaaaaaaaaaaaaab", "***b"},
        {{"aaaaaaaa"}, "aaaaaaa", "aaaaaaa"},
    }));
    for (std::size_t piece = 1; piece <= c.text.size(); ++piece) {
        CAPTURE(c.text, piece);
        CHECK(masked(c.forms, c.text, piece) == c.wanted);
    }
}

TEST_CASE("only what may become a secret is held back", "[secret_mask]") {
    SecretMask mask({"secret-value"});
    CHECK(mask.feed("hello\n") == "hello\n");
    CHECK(mask.feed("a sec") == "a ");
    CHECK(mask.feed("ond") == "second");
    CHECK(mask.feed("secret-valu").empty());
    CHECK(mask.flush() == "secret-valu");
    CHECK(mask.whole("secret-value") == "***");
}

TEST_CASE("a stream of nothing but overlaps is held in a few bytes", "[secret_mask]") {
    SecretMask mask({"zzzzzzzz"});
    std::string safe;
    for (int i = 0; i < 1000; ++i) safe += mask.feed(std::string(1000, 'z'));
    CHECK(safe == "***");
    CHECK(mask.flush().empty());
}

TEST_CASE("the forms of a secret", "[secret_mask]") {
    CHECK(secret_forms({{"A", "1234567"}, {"B", ""}}).empty());
    CHECK(secret_forms({{"A", "12345678"}}) == std::vector<std::string>{"12345678"});
    CHECK(secret_forms({{"A", "12345678"}, {"B", "12345678"}}) == std::vector<std::string>{"12345678"});
    CHECK(secret_forms({{"A", "pass\"word\n"}}) ==
          std::vector<std::string>{"pass\\\"word\\n", "pass\"word\n", "pass\\\"word", "pass\"word"});
}

TEST_CASE("without secrets all passes", "[secret_mask]") {
    SecretMask mask({});
    CHECK(mask.feed("anything") == "anything");
    CHECK(mask.flush().empty());
}
