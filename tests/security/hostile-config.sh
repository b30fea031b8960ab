#!/usr/bin/env bash
# What would be caught: a command of the host's that obeys the configuration, attributes or hooks of a session's repo.
# shellcheck disable=SC2016,SC2119 # scripts for an inner shell; no option is meant to be passed on
. "$(dirname "$0")/../support/world.sh"
. "$(dirname "$0")/../support/hostile.sh"
begin

# Every setting that makes git run a program. Attributes bring filters and drivers into play.
hostile programs '
    run=$1
    printf "* filter=evil diff=evil merge=evil\n" >.gitattributes
    git add .gitattributes
    git commit -q -m attributes
    printf "* filter=evil diff=evil\n" >.git/info/attributes
    set_to() { git config "$1" "$2"; }
    set_to filter.evil.clean "$run; cat"
    set_to filter.evil.smudge "$run; cat"
    set_to filter.evil.process "$run"
    set_to diff.evil.textconv "$run; cat"
    set_to diff.evil.command "$run; true"
    set_to diff.external "$run; true"
    set_to merge.evil.driver "$run; true"
    set_to core.pager "$run; cat"
    for pager in log diff show branch; do set_to pager.$pager "$run; cat"; done
    set_to core.editor "$run; true"
    set_to sequence.editor "$run; true"
    set_to core.askPass "$run"
    set_to core.sshCommand "$run; false"
    set_to core.gitProxy "$run"
    set_to core.alternateRefsCommand "$run; true"
    set_to credential.helper "!$run"
    set_to uploadpack.packObjectsHook "$run; true"
    set_to gpg.program "$run"
    set_to commit.gpgSign true
    set_to trailer.evil.command "$run"
    set_to interactive.diffFilter "$run; cat"
    set_to remote.origin.uploadpack "$run; false"
    set_to remote.origin.receivepack "$run; false"
    set_to protocol.allow always
    set_to protocol.ext.allow always
    set_to url.ext::sh.insteadOf /
    set_to submodule.recurse true
    set_to maintenance.auto true
    set_to gc.auto 1
    set_to fetch.recurseSubmodules yes
    set_to alias.status "!$run"
    set_to alias.upload-pack "!$run"
    set_to alias.scad "!$run"
    set_to receive.procReceiveRefs refs
    set_to core.fsmonitor "$run; false"
    echo changed >>README.md'
works_on_plain_git programs git status
works_on_plain_git programs git -c core.fsmonitor=false diff
works_on_plain_git programs git -c core.fsmonitor=false add README.md
works_on_plain_git programs env -u GIT_PAGER -u PAGER script -qec 'git -c core.fsmonitor=false log' /dev/null
survive programs

# Where the repo says that its parts lie.
hostile places '
    printf "[core]\n\tworktree = %s\n\tattributesFile = %s/.gitconfig\n\texcludesFile = %s/.gitconfig\n\thooksPath = %s\n" "$2" "$3" "$3" "$4" >>.git/config
    printf "[include]\n\tpath = %s/.git/config\n\tpath = %s/.gitconfig\n" "$2" "$3" >>.git/config
    printf "[includeIf \"gitdir:/\"]\n\tpath = %s/.gitconfig\n" "$3" >>.git/config
    echo "$2/.git" >.git/commondir' "$docs" "$HOME" "$canary/hooks"
mkdir "$canary/hooks"
printf '#!/bin/sh\n%s\n' "$payload" >"$canary/hooks/post-index-change"
cp "$canary/hooks/post-index-change" "$canary/hooks/reference-transaction"
chmod +x "$canary"/hooks/*
plain_copy places
rm "$plain/.git/commondir"
(cd "$plain" && git update-ref refs/heads/new HEAD)
ran || fail "the hooks folder does not even work with plain git"
forget
survive places may-fail

# Every hook that there is.
hostile hooks '
    for hook in applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit \
        pre-rebase post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update reference-transaction \
        push-to-checkout pre-auto-gc post-rewrite sendemail-validate fsmonitor-watchman post-index-change; do
        printf "#!/bin/sh\n%s\nexit 0\n" "$1" >.git/hooks/$hook
        chmod +x .git/hooks/$hook
    done
    git config core.fsmonitor .git/hooks/fsmonitor-watchman
    git config core.hooksPath .git/hooks
    echo changed >>README.md'
works_on_plain_git hooks git status
works_on_plain_git hooks git -c core.fsmonitor=false checkout -q -b other
works_on_plain_git hooks git -c core.fsmonitor=false update-ref refs/heads/new HEAD
survive hooks
