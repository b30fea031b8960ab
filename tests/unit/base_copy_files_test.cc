// What is copied of a host directory, and that no link leads the copy elsewhere.
#include "base/copy_files.h"

#include "base/error.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

using namespace scad;
namespace fs = std::filesystem;

namespace {

base::CopyResult copied(const fs::path& source, const fs::path& target,
                        base::CopyLimits limits = {1 << 20, 100}) {
    return base::copy_files(source, target, limits, [](const fs::path& inner) { return inner == "skipped"; });
}

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

} // namespace

TEST_CASE("a directory is copied, private, with the links that stay inside") {
    Scratch scratch;
    scratch.file("top/a/b/file", "content");
    scratch.file("top/run", "#!/bin/sh\n");
    scratch.file("top/skipped/x");
    scratch.file("secret");
    fs::permissions(scratch / "top/run", fs::perms(04755));
    fs::create_symlink("b/file", scratch / "top/a/inside");
    fs::create_symlink("../run", scratch / "top/a/up");
    fs::create_symlink("../../secret", scratch / "top/a/out");
    fs::create_symlink(scratch / "top/run", scratch / "top/absolute");
    ::mkfifo((scratch / "top/fifo").c_str(), 0600);

    const auto result = copied(scratch / "top", scratch / "copy");
    CHECK(base::read_file(scratch / "copy/a/b/file") == "content");
    CHECK(fs::read_symlink(scratch / "copy/a/inside") == "b/file");
    CHECK(fs::read_symlink(scratch / "copy/a/up") == "../run");
    CHECK(mode_of(scratch / "copy") == 0700);
    CHECK(mode_of(scratch / "copy/run") == 0700);
    CHECK(mode_of(scratch / "copy/a/b/file") == 0600);
    for (const char* name : {"copy/a/out", "copy/absolute", "copy/fifo", "copy/skipped"})
        CHECK_FALSE(fs::exists(fs::symlink_status(scratch / name)));
    CHECK(result.left_out == 3);
    CHECK(result.files == 7);
    CHECK(result.bytes == 17);
    CHECK_FALSE(result.too_large);
}

TEST_CASE("a file alone, and what is no real path") {
    Scratch scratch;
    scratch.file("real/file", "content");
    fs::create_symlink("real", scratch / "link");
    fs::create_symlink("real/file", scratch / "linked");
    CHECK(copied(scratch / "real/file", scratch / "copy").files == 1);
    CHECK(base::read_file(scratch / "copy") == "content");
    CHECK_THROWS_AS(copied(scratch / "link/file", scratch / "copy2"), Error);
    CHECK_THROWS_AS(copied(scratch / "linked", scratch / "copy2"), Error);
    CHECK_THROWS_AS(copied(scratch / "nothing", scratch / "copy2"), Error);
    CHECK_FALSE(fs::exists(scratch / "copy2"));
}

TEST_CASE("past the limits nothing is copied") {
    Scratch scratch;
    for (int i = 0; i < 5; ++i) scratch.file("top/d/" + std::to_string(i), "12345678");
    CHECK(copied(scratch / "top", scratch / "all", {40, 7}).files == 7);
    for (const auto limits : {base::CopyLimits{39, 100}, base::CopyLimits{1000, 6}}) {
        CHECK(copied(scratch / "top", scratch / "part", limits).too_large);
        CHECK_FALSE(fs::exists(scratch / "part"));
    }
}
