// The git command lines of `code log` and `code diff`, and the words of a summary.
#include "base/text.h"
#include "review/diff.h"
#include "review/log.h"
#include "review/summary.h"

#include <catch2/catch.hpp>

using namespace scad;

namespace {

review::Range example() {
    review::Range range;
    range.session = "alpha";
    range.repo = "code";
    range.base = "b0";
    range.branch = "alpha";
    range.tip = "t1";
    range.tips = {"t1", "t2"};
    return range;
}

} // namespace

TEST_CASE("log shows all branches without the base, and starts nothing of the user's", "[review]") {
    review::LogOptions options;
    options.stat = true;
    options.count = 5;
    CHECK(
        base::join(review::log_arguments(example(), options), " ") ==
        "--no-pager log --no-color --no-show-signature --no-ext-diff --no-textconv --format=%h %s (%an, %ar) "
        "--stat --max-count=5 t1 t2 ^b0 --");
}

TEST_CASE("diff has three dots, uncommitted work is against what was checked out", "[review]") {
    auto range = example();
    review::DiffOptions options;
    options.paths = {"src", "-odd"};
    CHECK(base::join(review::diff_arguments(range, options), " ") ==
          "--no-pager diff --no-color --no-ext-diff --no-textconv b0...t1 -- src -odd");
    range.wip = "w";
    CHECK(base::join(review::uncommitted_arguments(range, {}), " ") ==
          "--no-pager diff --no-color --no-ext-diff --no-textconv w^1 w --");
}

TEST_CASE("job_line tells state, time and reason, safely", "[review]") {
    session::Job job;
    job.number = 3;
    job.state = session::JobState::failed;
    job.started = 100;
    job.ended = 145;
    job.reason = "denied tool: \033[31mBash";
    CHECK(review::job_line(job) == "3 failed in 45s: denied tool: ^[[31mBash");
    job = {};
    job.number = 1;
    job.state = session::JobState::running;
    job.started = 100;
    CHECK(review::job_line(job) == "1 running");
}

TEST_CASE("a summary says what came back and what is not saved", "[review]") {
    review::Summary summary;
    summary.session = "alpha";
    summary.jobs = {"1 done in 12s"};
    review::RepoSummary code;
    code.repo = "code";
    code.branch = "alpha";
    code.commits = 2;
    code.changes = "3 files changed, 10 insertions(+)";
    code.uncommitted = "1 file changed, 1 insertion(+)";
    review::RepoSummary docs;
    docs.repo = "docs";
    docs.not_saved = "2 ignored";
    summary.repos = {code, docs};
    CHECK(review::render(summary) ==
          "alpha\n"
          "  job 1 done in 12s\n"
          "  code: 2 commits on scad/alpha/alpha, 3 files changed, 10 insertions(+); uncommitted: 1 file "
          "changed, 1 "
          "insertion(+)\n"
          "  docs: no commit; not saved: 2 ignored\n");
}
