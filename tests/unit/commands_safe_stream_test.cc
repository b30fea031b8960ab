// Foreign bytes on their way to a terminal, in pieces that were cut anywhere.
#include "commands/safe_stream.h"

#include <catch2/catch.hpp>

using scad::commands::SafeStream;

TEST_CASE("a stream is made safe whatever its pieces are", "[commands]") {
    const std::string text = "plain \033[31m\r\nzwölf € 😀\ttab \xc2\x9b end\xe2";
    const std::string safe = "plain ^[[31m\nzwölf € 😀\ttab <U+009B> end<E2>";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        INFO(size);
        SafeStream stream;
        std::string result;
        for (std::size_t at = 0; at < text.size(); at += size)
            result += stream.pass(std::string_view(text).substr(at, size));
        result += stream.rest();
        CHECK(result == safe);
    }
}
