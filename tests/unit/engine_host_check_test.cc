// What the doctor makes of what it finds: why user namespaces are refused, what a logout does, what a file
// system is.
#include "engine/host_check_login.h"
#include "engine/host_check_state.h"

#include <catch2/catch.hpp>

using namespace scad::engine;

TEST_CASE("engine: why user namespaces are refused") {
    NamespaceSettings settings;
    settings.most = "15000";
    auto check = explain_namespaces("cannot mount a tmpfs: Permission denied", settings);
    CHECK(!check.ok);
    CHECK(check.needed);
    CHECK(check.detail == "cannot mount a tmpfs: Permission denied");
    CHECK(check.remedy.empty());

    settings.apparmor = "0";
    CHECK(explain_namespaces("x", settings).detail == "x");
    settings.apparmor = "1";
    CHECK(explain_namespaces("x", settings).detail.find("AppArmor") == 0);
    CHECK(explain_namespaces("x", settings).remedy == "sudo ./run install, in scad's source tree");
    settings.profile = "/home/a b/share/scad/apparmor.d/scad";
    CHECK(explain_namespaces("x", settings).remedy ==
          "sudo install -m 644 '/home/a b/share/scad/apparmor.d/scad' /etc/apparmor.d/scad && sudo "
          "apparmor_parser -r /etc/apparmor.d/scad");

    settings.cloning = "0";
    CHECK(explain_namespaces("x", settings).remedy == "sudo sysctl -w kernel.unprivileged_userns_clone=1");
    settings.most = "0";
    CHECK(explain_namespaces("x", settings).remedy == "sudo sysctl -w user.max_user_namespaces=15000");
    CHECK(explain_namespaces("cannot make a user name space: No space left on device", {}).remedy ==
          "sudo sysctl -w user.max_user_namespaces=15000");
}

TEST_CASE("engine: what a logout ends") {
    const std::string terminal = "/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn.scope";
    const std::string login = "/user.slice/user-1000.slice/session-3.scope";
    CHECK(explain_login({"", false, false}).ok);
    CHECK(explain_login({"/system.slice/cron.service", false, true}).ok);
    CHECK(explain_login({login, false, false}).ok);
    CHECK(explain_login({terminal, true, true}).ok);
    CHECK(explain_login({terminal, false, false}).remedy == "loginctl enable-linger");
    CHECK(!explain_login({terminal, false, false}).needed);
    CHECK(explain_login({login, true, true}).remedy == "systemd-run --user --scope $SHELL");
    CHECK(explain_login({login, false, true}).remedy ==
          "loginctl enable-linger && systemd-run --user --scope $SHELL");
}

TEST_CASE("engine: file systems") {
    CHECK(file_system_name(0xef53) == "ext4");
    CHECK(file_system_name(0x1234) == "file system 0x1234");
    for (long local : {0xef53L, 0x58465342L, 0x01021994L, 0x794c7630L, 0x1234L})
        CHECK(!is_network_file_system(local));
    for (long network : {0x6969L, 0xff534d42L, 0xfe534d42L, 0x65735546L, 0x01021997L, 0x00c36400L})
        CHECK(is_network_file_system(network));
}
