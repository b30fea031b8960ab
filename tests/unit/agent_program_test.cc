// An agent's program is found wherever it is installed, copied with what it needs and nothing else, and found
// again quickly.
#include "agent/program.h"

#include "agent/elf.h"
#include "agent/package_plan.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace scad;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

namespace {

struct Scratch {
    fs::path path = fs::canonical(fs::temp_directory_path()) / ("scad-test-" + base::random_hex(6));
    Scratch() { fs::create_directories(path); }
    ~Scratch() { base::remove_tree(path); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    fs::path write(const std::string& name, const std::string& content, bool executable = false) const {
        auto file = path / name;
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
        ::chmod(file.c_str(), executable ? 0755 : 0644);
        return file;
    }
    void link(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        fs::create_symlink(text, path / name);
    }
};

// The smallest program or library that says what it needs: one segment that is the whole file, an
// interpreter, a dynamic section.
std::string make_elf(const std::string& interpreter, const Words& needed, const std::string& runpath,
                     std::int64_t tag = DT_RUNPATH) {
    std::string strings(1, '\0');
    auto add = [&](const std::string& text) {
        auto at = strings.size();
        strings += text + '\0';
        return at;
    };
    std::vector<Elf64_Dyn> dynamic;
    auto entry = [&](std::int64_t name, std::uint64_t value) {
        Elf64_Dyn one{};
        one.d_tag = name;
        one.d_un.d_val = value;
        dynamic.push_back(one);
    };
    for (const auto& name : needed) entry(DT_NEEDED, add(name));
    if (!runpath.empty()) entry(tag, add(runpath));
    auto interpreter_at = add(interpreter);
    constexpr std::uint64_t memory = 0x400000;
    constexpr std::uint64_t dynamic_at = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
    auto strings_at = dynamic_at + (dynamic.size() + 2) * sizeof(Elf64_Dyn);
    entry(DT_STRTAB, memory + strings_at);
    entry(DT_NULL, 0);

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    std::vector<Elf64_Phdr> segments(3);
    auto size = strings_at + strings.size();
    segments[0].p_type = PT_LOAD;
    segments[0].p_vaddr = memory;
    segments[0].p_filesz = size;
    segments[1].p_type = PT_DYNAMIC;
    segments[1].p_offset = dynamic_at;
    segments[1].p_filesz = dynamic.size() * sizeof(Elf64_Dyn);
    segments[2].p_type = interpreter.empty() ? PT_NULL : PT_INTERP;
    segments[2].p_offset = strings_at + interpreter_at;
    std::string image(reinterpret_cast<const char*>(&header), sizeof header);
    image.append(reinterpret_cast<const char*>(segments.data()), segments.size() * sizeof segments[0]);
    image.append(reinterpret_cast<const char*>(dynamic.data()), dynamic.size() * sizeof dynamic[0]);
    return image + strings;
}

const std::string loader = "/lib64/ld-linux-x86-64.so.2";

agent::Agent tool_agent() {
    agent::Agent agent;
    agent.name = "tool";
    agent.title = "Tool";
    agent.program = "tool";
    agent.install = "get tool";
    return agent;
}

// Names of everything below a directory.
Words names_below(const fs::path& top) {
    Words names;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
        if (!entry.is_directory() || entry.is_symlink())
            names.push_back(fs::relative(entry.path(), top).string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

template <class F> Error error_of(F f) {
    try {
        f();
    } catch (const Error& error) {
        return error;
    }
    return fatal("(no error)");
}

std::string content_of(const fs::path& path) { return base::read_file(path); }

} // namespace

TEST_CASE("elf: what the loader is told") {
    Scratch scratch;
    auto file = scratch.write("x", make_elf(loader, {"libuv.so.1", "libc.so.6"}, "$ORIGIN/../lib:/opt/lib"));
    auto elf = agent::read_elf(file);
    REQUIRE(elf);
    CHECK(elf->interpreter == loader);
    CHECK(elf->needed == Words{"libuv.so.1", "libc.so.6"});
    CHECK(elf->runpath == Words{"$ORIGIN/../lib", "/opt/lib"});
    CHECK(agent::read_elf("/proc/self/exe"));
    CHECK_FALSE(agent::read_elf(scratch.write("s", "#!/bin/sh\n")));
    CHECK_FALSE(agent::read_elf(scratch.write("e", "")));
    // Cut at any byte it is an error or nothing, never a crash.
    auto whole = content_of(file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        fs::remove(scratch.path / "cut"); // writing over it would wait for the disk
        auto cut = scratch.write("cut", whole.substr(0, size));
        try {
            agent::read_elf(cut);
        } catch (const Error&) {
        }
    }
}

TEST_CASE("scripts: the first line") {
    CHECK(agent::parse_shebang("#!/usr/bin/env node\nx") == Words{"node"});
    CHECK(agent::parse_shebang("#! /usr/bin/env -S node --no-warnings=X\n") ==
          Words{"node", "--no-warnings=X"});
    CHECK(agent::parse_shebang("#!/usr/bin/env -S A=1 node") == Words{"node"});
    CHECK(agent::parse_shebang("#!/home/u/n/bin/node\n") == Words{"/home/u/n/bin/node"});
    CHECK(agent::parse_shebang("#!/bin/sh -e\n") == Words{"/bin/sh", "-e"});
    CHECK(agent::parse_shebang("import os\n").empty());
    CHECK(agent::parse_shebang("#!\n").empty());
    CHECK(agent::parse_shebang("").empty());
}

TEST_CASE("scripts: launchers that only lead on") {
    auto parse = [](const std::string& text) { return agent::parse_launcher(text, "/p/bin", "/home/u"); };
    CHECK(parse("#!/bin/bash\nexec \"/home/u/.claude/local/node_modules/.bin/claude\" \"$@\"\n") ==
          Words{"/home/u/.claude/local/node_modules/.bin/claude"});
    CHECK(parse("#!/bin/sh\n# a comment\nset -e\n\nexec $HOME/x/tool \"$@\"\n") == Words{"/home/u/x/tool"});
    CHECK(parse("#!/bin/sh\nexec node '/x/cli.js' \"$@\"\n") == Words{"node", "/x/cli.js"});
    CHECK(parse("#!/bin/sh\nbasedir=$(dirname \"$(echo \"$0\" | sed -e 's,\\\\,/,g')\")\nif [ -x "
                "\"$basedir/node\" ]; then\n"
                "  exec \"$basedir/node\"  \"$basedir/../pkg/cli.js\" \"$@\"\nelse\n  exec node  "
                "\"$basedir/../pkg/cli.js\" \"$@\"\nfi\n") == Words{"/p/pkg/cli.js"});
    CHECK(parse("#!/usr/bin/env bash\nexec asdf exec \"claude\" \"$@\"\n") ==
          Words{"asdf", "exec", "claude"});
    for (const char* text :
         {"#!/bin/sh\n", "#!/bin/sh\n/x/tool \"$@\"\n", "#!/bin/sh\nA=1\nexec /x/tool \"$@\"\n",
          "#!/bin/sh\nexec /x/tool\n", "#!/bin/sh\nexec `which tool` \"$@\"\n",
          "#!/bin/sh\nexec $TOOL \"$@\"\n", "#!/bin/sh\nexec /x/a \"$@\"\nexec /x/b \"$@\"\n",
          "#!/bin/sh\nexec /x/tool \"$@\" | cat\n"}) {
        INFO(text);
        CHECK(parse(text).empty());
    }
}

TEST_CASE("a native program in a Node package is copied alone, once, and found again") {
    Scratch scratch;
    auto program = make_elf(loader, {"libc.so.6"}, "");
    scratch.write("node_modules/@org/tool/bin/tool.exe", program, true);
    scratch.write("node_modules/@org/tool/package.json", R"({"name":"@org/tool"})");
    scratch.link("node_modules/.bin/tool", "../@org/tool/bin/tool.exe");
    Words environment = {"PATH=" + (scratch.path / "node_modules/.bin").string()};
    auto store = scratch.path / "state/agents";

    auto first = agent::install_program(tool_agent(), environment, store);
    CHECK(first.entry == "bin/tool");
    CHECK(first.path == Words{"bin"});
    CHECK(first.directory == store / first.id);
    CHECK(first.found_at == scratch.path / "node_modules/.bin/tool");
    CHECK(names_below(first.directory) == Words{"bin/tool"});
    CHECK(content_of(first.directory / "bin/tool") == program);
    struct stat found {};
    REQUIRE(::stat((first.directory / "bin/tool").c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0555);
    for (const auto& directory : {store, first.directory, first.directory / "bin"}) {
        REQUIRE(::stat(directory.c_str(), &found) == 0);
        CHECK((found.st_mode & 07777U) == 0755);
    }
    REQUIRE(::stat((scratch.path / "state").c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0700);
    // Nothing but the copy is in the store: what it was made from is nobody's business inside.
    CHECK(std::distance(fs::directory_iterator(store), {}) == 1);

    // Not read again: a copy that was changed behind its back is given out as it is.
    ::chmod((first.directory / "bin/tool").c_str(), 0755);
    std::ofstream(first.directory / "bin/tool") << "mark";
    CHECK(agent::install_program(tool_agent(), environment, store).id == first.id);
    CHECK(content_of(first.directory / "bin/tool") == "mark");

    // An update of the program is another copy.
    scratch.write("node_modules/@org/tool/bin/tool.exe", program + "2", true);
    auto second = agent::install_program(tool_agent(), environment, store);
    CHECK(second.id != first.id);
    CHECK(content_of(second.directory / "bin/tool") == program + "2");

    // A damaged index costs time only.
    std::ofstream(store.string() + ".json") << "{";
    CHECK(agent::install_program(tool_agent(), environment, store).id == second.id);
}

TEST_CASE("libraries outside the system come along") {
    Scratch scratch;
    auto store = scratch.path / "state/agents";
    scratch.write("env/lib/libb.so.1.2", make_elf("", {"libc.so.6"}, ""));
    scratch.link("env/lib/libb.so.1", "libb.so.1.2");
    scratch.write("env/lib/liba.so", make_elf("", {"libb.so.1"}, "$ORIGIN"));

    SECTION("found from the program's own place: at the same places") {
        scratch.write("env/bin/tool", make_elf(loader, {"liba.so", "libm.so.6"}, "${ORIGIN}/../lib"), true);
        auto program =
            agent::install_program(tool_agent(), {"PATH=" + (scratch.path / "env/bin").string()}, store);
        CHECK(program.entry == "bin/tool");
        CHECK(names_below(program.directory) == Words{"bin/tool", "lib/liba.so", "lib/libb.so.1"});
    }
    SECTION("found at a fixed place: by a script that names the copies") {
        scratch.write("env/bin/tool",
                      make_elf(loader, {"liba.so"}, (scratch.path / "env/lib").string(), DT_RPATH), true);
        auto program =
            agent::install_program(tool_agent(), {"PATH=" + (scratch.path / "env/bin").string()}, store);
        CHECK(program.entry == "bin/tool");
        CHECK(names_below(program.directory) ==
              Words{"bin/tool", "lib/liba.so", "lib/libb.so.1", "libexec/program"});
        CHECK(content_of(program.directory / "bin/tool").starts_with("#!/bin/sh\n"));
    }
    SECTION("a foreign loader") {
        scratch.write("env/bin/tool", make_elf("/nix/store/x/ld.so", {}, ""), true);
        auto error = error_of([&] {
            agent::install_program(tool_agent(), {"PATH=" + (scratch.path / "env/bin").string()}, store);
        });
        CHECK(error.message.find("needs the loader '/nix/store/x/ld.so'") != std::string::npos);
    }
}

TEST_CASE("a Node package comes with what it depends on and with its node") {
    Scratch scratch;
    auto store = scratch.path / "state/agents";
    scratch.write("n/bin/node", make_elf(loader, {"libc.so.6"}, ""), true);
    scratch.write("n/lib/node_modules/tool/cli.js", "#!/usr/bin/env -S node --flag\n", true);
    scratch.write(
        "n/lib/node_modules/tool/package.json",
        R"({"name":"tool","dependencies":{"own":"1","@s/near":"1"},"optionalDependencies":{"absent":"1"}})");
    scratch.write("n/lib/node_modules/tool/node_modules/own/package.json",
                  R"({"name":"own","dependencies":{"deep":"1"}})");
    scratch.write("n/lib/node_modules/tool/.git/config", "x");
    scratch.write("n/lib/node_modules/@s/near/package.json", R"({"name":"@s/near"})");
    scratch.write("n/lib/node_modules/@s/near/index.js", "near");
    scratch.write("n/lib/node_modules/deep/package.json", R"({"name":"deep"})");
    scratch.write("n/lib/node_modules/other/package.json", R"({"name":"other"})");
    scratch.link("n/bin/tool", "../lib/node_modules/tool/cli.js");

    auto program = agent::install_program(tool_agent(), {"PATH=" + (scratch.path / "n/bin").string()}, store);
    CHECK(program.entry == "bin/tool");
    CHECK(names_below(program.directory) ==
          Words{"bin/tool", "package/node_modules/@s/near/index.js",
                "package/node_modules/@s/near/package.json", "package/node_modules/deep/package.json",
                "package/node_modules/tool/cli.js", "package/node_modules/tool/node_modules/own/package.json",
                "package/node_modules/tool/package.json", "runtime/bin/node"});
    CHECK(content_of(program.directory / "bin/tool") ==
          "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n"
          "exec \"$here/../runtime/bin/node\" --flag \"$here\"/../package/node_modules/tool/cli.js \"$@\"\n");

    // A new file in it is seen.
    scratch.write("n/lib/node_modules/deep/new.js", "new");
    CHECK(agent::install_program(tool_agent(), {"PATH=" + (scratch.path / "n/bin").string()}, store).id !=
          program.id);
}

TEST_CASE("packages that are linked to each other stay so") {
    Scratch scratch;
    scratch.write("nm/node_modules/.pnpm/tool@1/node_modules/tool/package.json",
                  R"({"name":"tool","dependencies":{"dep":"1"}})");
    auto script = scratch.write("nm/node_modules/.pnpm/tool@1/node_modules/tool/cli.js", "");
    scratch.write("nm/node_modules/.pnpm/dep@1/node_modules/dep/package.json", R"({"name":"dep"})");
    scratch.link("nm/node_modules/.pnpm/tool@1/node_modules/dep", "../../dep@1/node_modules/dep");
    auto packages = agent::find_packages(script);
    auto store = scratch.path / "nm/node_modules/.pnpm";
    CHECK(packages.top == scratch.path / "nm");
    CHECK(packages.directories ==
          std::vector<fs::path>{store / "dep@1/node_modules/dep", store / "tool@1/node_modules/tool"});
    CHECK(packages.links == std::map<fs::path, std::string>{
                                {store / "tool@1/node_modules/dep", "../../dep@1/node_modules/dep"}});
}

TEST_CASE("what cannot be brought along says why and what to do") {
    Scratch scratch;
    auto store = scratch.path / "state/agents";
    Words environment = {"HOME=/home/u", "PATH=" + (scratch.path / "bin").string()};
    auto install = [&] { agent::install_program(tool_agent(), environment, store); };

    auto missing = error_of(install);
    CHECK(missing.message == "Tool is not installed: there is no 'tool' on PATH");
    CHECK(missing.hint == "get tool");

    scratch.write("bin/tool", "#!/usr/bin/env bash\nexec asdf exec \"tool\" \"$@\"\n", true);
    CHECK(error_of(install).message.find("is a shell script that does more") != std::string::npos);
    scratch.write("bin/tool", "#!/usr/bin/python3\n", true);
    CHECK(error_of(install).message.find("runs on 'python3'") != std::string::npos);
    scratch.write("bin/tool", "plain text\n", true);
    CHECK(error_of(install).message.find("is neither a program nor a script") != std::string::npos);
    scratch.write("bin/tool", "#!/usr/bin/env node\n", true);
    auto no_node = error_of(install);
    CHECK(no_node.message == "'tool' runs on 'node', which is not on PATH");
    CHECK(no_node.hint == "sudo apt install nodejs");
    scratch.write("bin/tool", "#!/bin/sh\nexec tool \"$@\"\n", true);
    CHECK(error_of(install).message.find("too many scripts that start each other") != std::string::npos);
    fs::remove(scratch.path / "bin/tool");
    scratch.write("share/mise", make_elf(loader, {}, ""), true);
    scratch.link("bin/tool", "../share/mise");
    CHECK(error_of(install).message.find("is a stand-in of 'mise'") != std::string::npos);
}
