#pragma once

#include "base/context.h"
#include "session/session.h"
#include "session/store.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace scad::remote_helper {

// "alpha", "alpha/docs", "scad::alpha/docs", "scad://alpha/docs": session and, when given, repo. Fatal when
// malformed. Pure.
struct Address {
    std::string session;
    std::string repo; // empty: to be inferred
    bool operator==(const Address&) const = default;
};
Address parse_address(std::string_view text);

struct Target {
    session::Session session;
    std::string repo;
};

// The session (by its exact name) and the repo: the one named; else the one whose host repo is `common_dir`
// (that of git's own GIT_DIR); else the session's only one. Fatal otherwise, with the names.
Target find_target(const session::Store& store, const Address& address,
                   const std::optional<std::filesystem::path>& common_dir);

} // namespace scad::remote_helper
