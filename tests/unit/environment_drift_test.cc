#include "environment/drift.h"

#include <catch2/catch.hpp>

using namespace scad::environment;
using Strings = std::vector<std::string>;

TEST_CASE("the packages are found among what else a session prints") {
    CHECK(parse_packages(
              "code\thead\t0123\n\tpackage\tidna-3.4.dist-info\nnoise\n\tpackage\tnumpy-1.26.0.dist-info\n"
              "\tpackage\told-1.egg-info\n\tpackage\t\n\tpackage\tidna-3.4.dist-info\n") ==
          Strings{"idna-3.4", "numpy-1.26.0", "old-1"});
    CHECK(parse_packages("").empty());
    CHECK(parse_packages("\tpackage\t" + std::string(1000, 'x')).empty());
}

TEST_CASE("drift is what was added, removed and changed") {
    const auto drift = compare_packages({"a-1", "b_c-1.0", "d-1"}, {"a-1", "b_c-2.0", "e-0.1", "odd"});
    CHECK(drift.added == Strings{"e 0.1", "odd"});
    CHECK(drift.removed == Strings{"d 1"});
    CHECK(drift.changed == Strings{"b_c 1.0 -> 2.0"});
    CHECK(drift.size() == 4);
    CHECK(drift_words(drift, 10) == "+e 0.1, +odd, -d 1, b_c 1.0 -> 2.0");
    CHECK(drift_words(drift, 2) == "+e 0.1, +odd and 2 more");
    CHECK(drift_words({}, 2).empty());
}
