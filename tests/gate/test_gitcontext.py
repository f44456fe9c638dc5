"""What Git says of a checkout, and that a hostile repository cannot make it start anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adjudge.gate import gitcontext
from adjudge.gate.gitcontext import GitContext, base_ref, git_context, without_credentials

from .conftest import Repository, validate


def codes(found: GitContext) -> list[str]:
    return [d.code for d in found.degradations]


def info_of(root: Path, base: str | None = None) -> dict[str, object]:
    found = git_context(root, base=base)
    assert found.info is not None, found.degradations
    validate(found.info, "git")
    return found.info


def test_a_clean_checkout(repository: Repository) -> None:
    assert info_of(repository.path) == {
        "commit": repository.git("rev-parse", "HEAD"),
        "ref": "refs/heads/main",
        "branch": "main",
        "tags": [],
        "dirty": False,
        "untracked": [],
        "shallow": False,
        "changed_files": [],
        "prefix": "",
    }


def test_changes_and_unknown_files(repository: Repository) -> None:
    repository.write("release/new.txt", "x")
    repository.write("elsewhere.txt", "x")
    assert info_of(repository.path)["dirty"] is False
    assert info_of(repository.path)["untracked"] == ["elsewhere.txt", "release/new.txt"]
    assert info_of(repository.path / "release")["untracked"] == ["release/new.txt"]
    assert info_of(repository.path / "release")["prefix"] == "release"
    repository.write("a.txt", "two\n")
    assert info_of(repository.path / "release")["dirty"] is True


def test_a_staged_change_is_dirty(repository: Repository) -> None:
    repository.write("b.txt", "x")
    repository.git("add", "b.txt")
    assert info_of(repository.path)["dirty"] is True


def test_names_with_line_ends_quotes_and_other_bytes(repository: Repository) -> None:
    base = repository.git("rev-parse", "HEAD")
    names = (b"a b\nc.txt", b'q"uote.txt', b"\xff\xfe.txt", "grün.txt".encode(), b"-rf")
    for name in names:
        repository.write(name, "x")
    assert info_of(repository.path)["untracked"] == [
        "-rf",
        "a b\\nc.txt",
        "grün.txt",
        'q"uote.txt',
        "\\xff\\xfe.txt",
    ]
    repository.commit()
    changed = info_of(repository.path, base)["changed_files"]
    assert isinstance(changed, list)
    assert {"path": "\\xff\\xfe.txt", "status": "added"} in changed
    assert {"path": "a b\\nc.txt", "status": "added"} in changed
    assert len(changed) == 5


def test_tags_and_a_detached_checkout(repository: Repository) -> None:
    for tag in ("v1.9.0", "v1.10.0", "other/x"):
        repository.git("tag", tag)
    repository.git("tag", "--annotate", "--message", "m", "v2.0.0")
    assert info_of(repository.path)["tags"] == ["v2.0.0", "v1.10.0", "v1.9.0", "other/x"]
    assert info_of(repository.path)["tag"] == "v2.0.0"
    repository.git("checkout", "--quiet", "--detach")
    info = info_of(repository.path)
    assert "ref" not in info
    assert "branch" not in info
    commit = str(info["commit"])
    environ = {"GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": commit}
    found = git_context(repository.path, environ=environ).info
    assert found is not None
    assert found["ref"] == "refs/pull/7/merge"
    # The variable is about another commit: it says nothing about this one.
    found = git_context(repository.path, environ=environ | {"GITHUB_SHA": "0" * 40}).info
    assert found is not None
    assert "ref" not in found


def test_what_changed_since_the_base(repository: Repository) -> None:
    repository.write("old.txt", "x")
    start = repository.commit()
    repository.git("checkout", "--quiet", "-b", "change")
    repository.write("a.txt", "two\n")
    (repository.path / "old.txt").unlink()
    repository.write("sub/new.txt", "x")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("later.txt", "x")
    repository.commit()
    repository.git("checkout", "--quiet", "change")
    for base in ("main", "refs/heads/main"):
        info = info_of(repository.path, base)
        assert info["base"] == {"ref": base, "commit": start}
        assert info["changed_files"] == [
            {"path": "a.txt", "status": "modified"},
            {"path": "old.txt", "status": "deleted"},
            {"path": "sub/new.txt", "status": "added"},
        ]


@pytest.mark.parametrize(
    "base", ["nothing", "--output=/x", "main..main", "a.txt", "\n", "HEAD:a.txt", "\0", "\ud800"]
)
def test_a_base_that_is_none(repository: Repository, base: str) -> None:
    found = git_context(repository.path, base=base)
    assert found.info is not None
    assert "base" not in found.info
    assert found.info["changed_files"] == []
    assert codes(found) == ["git_base_unknown"]


def test_the_base_comes_from_the_ci_system(repository: Repository) -> None:
    assert base_ref({"GITHUB_BASE_REF": "main"}) == "origin/main"
    assert base_ref({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "dev"}) == "origin/dev"
    assert base_ref({"GITHUB_BASE_REF": ""}) is None
    found = git_context(repository.path, environ={"GITHUB_BASE_REF": "main"})
    assert codes(found) == ["git_base_unknown"]


def test_a_history_that_is_cut_off(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.write("a.txt", "two\n")
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(clone))
    found = git_context(clone, base=first)
    assert found.info is not None
    assert found.info["shallow"] is True
    assert codes(found) == ["git_shallow"]


def test_a_second_checkout_of_a_repository(repository: Repository, tmp_path: Path) -> None:
    other = tmp_path / "other"
    repository.git("worktree", "add", "--quiet", "-b", "side", str(other))
    assert info_of(other)["branch"] == "side"


# --- nothing to see -----------------------------------------------------------------------------


def test_no_repository(tmp_path: Path) -> None:
    found = git_context(tmp_path)
    assert found.info is None
    assert codes(found) == ["git_absent"]


def test_no_commit_yet(tmp_path: Path) -> None:
    found = git_context(Repository(tmp_path / "new").path)
    assert found.info is None
    assert codes(found) == ["git_no_commit"]


def test_a_bare_repository(repository: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(bare))
    found = git_context(bare)
    assert found.info is None
    assert codes(found) == ["git_bare"]


def test_no_git_program(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = git_context(repository.path)
    assert found.info is None
    assert codes(found) == ["git_missing"]


def test_gitpython_refuses_to_be_imported_without_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "git", None)
    assert codes(git_context(repository.path)) == ["git_missing"]


def test_an_old_git(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitcontext, "_OLDEST", (99, 0))
    assert codes(git_context(repository.path)) == ["git_too_old"]


def test_a_git_that_takes_too_long(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitcontext, "_TIMEOUT_S", 0)
    assert codes(git_context(repository.path)) == ["git_failed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_a_repository_of_another_user(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (repository.path, repository.path / ".git"):
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = git_context(repository.path)
    assert found.info is None
    assert codes(found) == ["git_unsafe_directory"]
    # What the operator's own configuration calls safe is.
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repository.path}\n")
    assert git_context(repository.path).info is not None
    # What the repository says of itself does not count.
    (tmp_path / ".gitconfig").unlink()
    repository_config = repository.path / ".git/config"
    repository_config.write_text(repository_config.read_text() + "[safe]\n\tdirectory = *\n")
    assert codes(git_context(repository.path)) == ["git_unsafe_directory"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".git/HEAD", "ref: refs/heads/main\x00\n"),
        (".git/HEAD", "ref: ../../../../etc/passwd\n"),
        (".git/HEAD", "\xff\xfe"),
        (".git/HEAD", ""),
        (".git/config", "[core\n"),
        (".git/config", "[core]\n\trepositoryformatversion = 99\n"),
        (".git/config", "[include]\n\tpath = config\n"),
        (".git/index", "broken"),
        (".git/packed-refs", "broken\n"),
        (".git/refs/heads/main", "ref: refs/heads/main\n"),
        (".git/refs/heads/main", "0000\n"),
    ],
)
def test_a_broken_repository_is_no_crash(repository: Repository, file: str, content: str) -> None:
    (repository.path / file).write_bytes(content.encode("latin-1"))
    found = git_context(repository.path)
    assert found.info is None or "commit" in found.info
    if found.info is None:
        assert codes(found)[0].startswith("git_")


def test_a_loop_of_references_ends(repository: Repository) -> None:
    heads = repository.path / ".git/refs/heads"
    (heads / "main").write_text("ref: refs/heads/other\n")
    (heads / "other").write_text("ref: refs/heads/main\n")
    assert git_context(repository.path).info is None


def test_a_pipe_called_git_does_not_hold_the_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")
    assert codes(git_context(tmp_path)) == ["git_failed"]


def test_a_huge_gitfile_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: " + "x" * 100_000)
    assert codes(git_context(tmp_path)) == ["git_failed"]


# --- hostile repositories -------------------------------------------------------------------------


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A program that leaves a trace when it is started."""
    program = tmp_path / "canary.sh"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/started\ncat 2>/dev/null\n')
    program.chmod(0o755)
    return program


def started(canary: Path) -> str:
    trace = canary.parent / "started"
    return trace.read_text() if trace.exists() else ""


HOSTILE = """
[core]
\tfsmonitor = {canary}
\thooksPath = {hooks}
\tsshCommand = {canary}
\tpager = {canary}
\teditor = {canary}
\tgitProxy = {canary}
\taskPass = {canary}
\talternateRefsCommand = {canary}
\tattributesFile = {attributes}
[pager]
\tstatus = {canary}
\tconfig = {canary}
[diff]
\texternal = {canary}
[diff "evil"]
\tcommand = {canary}
\ttextconv = {canary}
[filter "evil"]
\tclean = {canary}
\tsmudge = {canary}
\tprocess = {canary}
\trequired = true
[filter "a=b.c"]
\tclean = {canary}
\trequired = true
[gpg]
\tprogram = {canary}
[log]
\tshowSignature = true
[credential]
\thelper = {canary}
[uploadpack]
\tpackObjectsHook = {canary}
[alias]
\tstatus = !{canary}
\trev-parse = !{canary}
[remote "origin"]
\turl = ext::{canary}
\tpromisor = true
\tpartialclonefilter = blob:none
[extensions]
\tpartialClone = origin
[protocol]
\tallow = always
[include]
\tpath = more.config
"""


def make_hostile(repository: Repository, canary: Path) -> None:
    """Give a repository every configuration that can start a program, with files they are for."""
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        repository.write(name, "one\n")
    repository.commit()
    git = repository.path / ".git"
    hooks = git / "evil-hooks"
    hooks.mkdir()
    for folder in (hooks, git / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
            shutil.copy(canary, folder / name)
    (git / "more.config").write_text(f'[filter "more"]\n\tclean = {canary}\n\trequired = true\n')
    (git / "evil-attributes").write_text("e.txt filter=evil diff=evil\n")
    (git / "info").mkdir(exist_ok=True)
    (git / "info/attributes").write_text("b.txt filter=evil diff=evil\n")
    repository.write(
        ".gitattributes",
        "a.txt filter=evil diff=evil\nc.txt filter=more\nd.txt filter=a=b.c\n",
    )
    config = (git / "config").read_text().replace("version = 0", "version = 1")
    text = HOSTILE.format(canary=canary, hooks=hooks, attributes=git / "evil-attributes")
    (git / "config").write_text(config + text)
    # Contents that only a filter could explain: git has to look at each file.
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        repository.write(name, "two\n")
        os.utime(repository.path / name, (1, 1))


def test_the_canary_would_be_started(repository: Repository, canary: Path) -> None:
    make_hostile(repository, canary)
    subprocess.run(["git", "status"], cwd=repository.path, capture_output=True, check=False)
    assert started(canary)


def test_nothing_that_a_repository_names_is_started(repository: Repository, canary: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    make_hostile(repository, canary)
    found = git_context(repository.path, base=first)
    assert found.info is not None, found.degradations
    assert found.info["commit"]
    assert started(canary) == ""
    assert not (repository.path / ".git/index.lock").exists()


def test_missing_objects_are_not_fetched(repository: Repository, canary: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    make_hostile(repository, canary)
    kept = {repository.git("rev-parse", "HEAD"), first}
    for file in (repository.path / ".git/objects").glob("??/*"):
        if file.parent.name + file.name not in kept:
            file.unlink()
    found = git_context(repository.path, base=first)
    assert started(canary) == ""
    assert codes(found)


def test_the_user_has_no_say_either(
    repository: Repository, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = canary.parent / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[core]\n\tfsmonitor = {canary}\n[filter "lfs"]\n\tclean = {canary}\n\trequired = true\n'
    )
    repository.write(".gitattributes", "a.txt filter=lfs\n")
    repository.commit()
    repository.write("a.txt", "two\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(canary.parent / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(canary.parent))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(canary))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={canary}'")
    found = git_context(repository.path)
    assert found.info is not None
    assert started(canary) == ""
    # Whether a file behind a filter is changed cannot be known without running the filter.
    assert found.info["dirty"] is False
    assert codes(found) == ["git_filtered_files"]
    repository.write("b.txt", "x")
    repository.git("add", "b.txt")
    assert info_of(repository.path)["dirty"] is True


def test_a_work_tree_elsewhere_is_not_looked_at(repository: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "private"
    elsewhere.mkdir()
    (elsewhere / "secret.txt").write_text("x")
    repository.git("config", "core.worktree", str(elsewhere))
    found = git_context(repository.path)
    assert "secret" not in str(found.info)


def test_paths_with_variables_are_taken_as_they_are(tmp_path: Path) -> None:
    made = Repository(tmp_path / "$HOME ~ %s")
    made.write("a", "x")
    made.commit()
    assert info_of(made.path)["branch"] == "main"


# --- remotes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://github.com/acme/x.git", "https://github.com/acme/x.git"),
        ("https://user:token@github.com/acme/x.git", "https://github.com/acme/x.git"),
        ("https://x-access-token:a@b@github.com/acme/x", "https://github.com/acme/x"),
        ("https://host/x?private_token=1#f", "https://host/x"),
        ("ssh://git@host:22/x", "ssh://host:22/x"),
        ("git@github.com:acme/x.git", "github.com:acme/x.git"),
        ("file:///srv/x", "file:///srv/x"),
        ("/srv/x", ""),
        ("ext::sh -c id", ""),
        ("", ""),
        ("https://a\nb/x", "https://a\\nb/x"),
    ],
)
def test_remotes_are_shown_without_credentials(address: str, shown: str) -> None:
    assert without_credentials(address) == shown


def test_the_remote_of_a_repository(repository: Repository) -> None:
    repository.git("remote", "add", "origin", "https://me:secret@example.org/x")
    assert info_of(repository.path)["remote"] == "https://example.org/x"
