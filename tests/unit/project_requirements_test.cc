#include "project/requirements.h"

#include <catch2/catch.hpp>

using namespace scad::project;
using Strings = std::vector<std::string>;

TEST_CASE("requirement files are read as pip reads them") {
    const auto file = parse_requirements(
        "# a comment with -r no.txt\n"
        "-r base.txt\n"
        "-rclose.txt   # said why\n"
        "--requirement=sub/more.txt\n"
        "-c \"limits.txt\"\r\n"
        "--constraint ../x.txt\n"
        "-r https://example.org/r.txt\n"
        "-i https://pypi.example.org/simple --extra-index-url http://10.0.0.1:81/s\n"
        "-f wheels\n--find-links https://example.org/wheels\n"
        "--no-index\n"
        "-e .\n-e ./pkg[extra]\n--editable git+https://example.org/p#egg=p\n"
        "apple>=1.0 ; python_version < '3'\n"
        "pear==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
        "./local/dir\nwheels/a-1.whl[x]\nb-1.whl\n"
        "plum @ https://example.org/plum.whl\ncherry @ file:///srv/cherry.whl\n"
        "https://user:word@example.org:8443/x.zip#sha256=00\n");
    CHECK(file.files == Strings{"base.txt", "close.txt", "sub/more.txt", "limits.txt", "../x.txt",
                                "https://example.org/r.txt"});
    CHECK(file.indexes == Strings{"https://pypi.example.org/simple"});
    CHECK(file.extra_indexes == Strings{"http://10.0.0.1:81/s"});
    CHECK(file.find_links == Strings{"wheels", "https://example.org/wheels"});
    CHECK(file.no_index);
    CHECK(file.hashes);
    CHECK(file.editables == Strings{".", "./pkg", "git+https://example.org/p#egg=p"});
    CHECK(file.paths == Strings{"./local/dir", "wheels/a-1.whl", "b-1.whl", "/srv/cherry.whl"});
    CHECK(file.addresses ==
          Strings{"https://example.org/plum.whl", "https://user:word@example.org:8443/x.zip#sha256=00"});
    CHECK(index_options(file, [](const std::string& path) { return "/work/code/" + path; }) ==
          Strings{"--no-index", "--index-url", "https://pypi.example.org/simple", "--extra-index-url",
                  "http://10.0.0.1:81/s", "--find-links", "/work/code/wheels", "--find-links",
                  "https://example.org/wheels"});
}

TEST_CASE("a requirement file of names alone leads nowhere") {
    CHECK(parse_requirements("") == RequirementFile{});
    CHECK(parse_requirements("apple\n  pear[x,y]>=1,<2 # why\n#-r x\n\n\\\n") == RequirementFile{});
    CHECK(parse_requirements("-r") == RequirementFile{});
}

TEST_CASE("the host of an address is what an allow list takes") {
    auto [address, host] = GENERATE(table<std::string, std::string>({
        {"https://pypi.example.org/simple", "pypi.example.org"},
        {"https://user:word@pypi.example.org:8443/simple?x#y", "pypi.example.org:8443"},
        {"http://127.0.0.1:8080/simple", "127.0.0.1:8080"},
        {"http://example.org", "example.org:80"},
        {"https://[::1]:81/", "[::1]:81"},
        {"git+https://example.org/p.git@main#egg=p", "example.org"},
        {"git+ssh://git@example.org/p", ""},
        {"file:///srv/x", ""},
        {"https://", ""},
        {"wheels", ""},
    }));
    CHECK(host_of_address(address) == host);
}
