#pragma once

#include "base/context.h"
#include "session/session.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::session {

// What a session has in each host repo. All calls are idempotent: start, resume and repair call them again.
// pins: refs/scad-session/<s>/base at the base commit, and refs/scad-session/<s>/pin, a commit whose parents
// are all tips of the host at that moment (so that what the session borrows survives the host's gc); what an
// earlier pin of the session holds besides, the new one holds too.
void make_pins(const Session& session, const SessionRepo& repo, const base::Variables& variables);
// The pin of another session, of which this one is a copy: it borrows what that one has borrowed.
void copy_pin(const Session& from, const Session& session, const SessionRepo& repo,
              const base::Variables& variables);
void drop_pins(const Session& session, const SessionRepo& repo, const base::Variables& variables);

// The names below which this repo has pins.
std::vector<std::string> pinned_sessions(const std::filesystem::path& common_dir,
                                         const base::Variables& variables);

// remote scad/<s> in <common dir>/scad/remotes (replaced by rename, under a lock; one include.path line in
// the repo's config names the file), refs/remotes/scad/<s>/<branch> at the base commit and the symref …/HEAD.
void add_remote(const Session& session, const SessionRepo& repo, const base::Variables& variables);
// Whether git sees that remote. Two small files are read; cheap enough to ask before each job.
bool has_remote(const Session& session, const SessionRepo& repo);
// The remote goes, fetched refs stay. The include.path line and the file go with the last remote.
void remove_remote(const Session& session, const SessionRepo& repo, const base::Variables& variables);

// Everything that starts with refs/remotes/scad/<s>/ and refs/scad-session/<s>/ (code prune, rm --purge).
void remove_refs(const std::string& session, const std::filesystem::path& common_dir,
                 const base::Variables& variables);
// Whether such refs are left of an earlier session of that name.
bool has_refs(const std::string& session, const std::filesystem::path& common_dir,
              const base::Variables& variables);

// The content of the remotes file with these sessions' sections. Pure.
std::string remotes_file(const std::vector<std::pair<std::string, std::string>>& session_and_repo);
// Sentences to say at start: a repo whose only remote is not origin, one without remotes, refs/*:refs/*
// mirrors, refs that make `scad/<s>` ambiguous (that one is fatal).
std::vector<std::string> remote_warnings(const Session& session, const SessionRepo& repo,
                                         const base::Variables& variables);
// The same for one who has the host repo's settings already (workspace::Origin::host_settings): no process.
std::vector<std::string> remote_warnings(const Session& session, const SessionRepo& repo,
                                         const base::Variables& variables, const base::Settings& settings);

// The pure parts of the above.
std::vector<std::pair<std::string, std::string>> parse_remotes_file(
    std::string_view text);                     // the sessions and repos of remotes_file()
bool includes_remotes(std::string_view config); // whether this git-config(1) text has the include.path line
// The commits that refs point to, from lines "type id peeled-type peeled-id name" of git-for-each-ref(1),
// without other sessions' pins.
std::vector<std::string> parse_tips(std::string_view listed);
// The object that `ref` points to, from the same lines; empty: it is not there.
std::string parse_tip(std::string_view listed, std::string_view ref);

} // namespace scad::session
