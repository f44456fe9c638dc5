"""The folder that is judged in, what Git says about its checkout out.

A repository is hostile input like everything else in the folder: its configuration can name
programs (file-system monitor, filters, external diff, hooks, transports) that Git would start.
GitPython finds the repository.  Git itself is started here, not by GitPython, which cannot
take variables such as ``GIT_DIR`` out of the environment and follows loops of references for
ever.  Every program that a configuration can name is overridden, nothing of the user's own
configuration is read, nothing is fetched and nothing is written.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adjudge.decision.model import Degradation
from adjudge.documents.reading import shown_name

MAX_LISTED: Final = 5_000
"""Paths in one list; what is over is dropped, with a degradation."""
_TIMEOUT_S: Final = 60
_OLDEST: Final = (2, 32)
"""The first Git that can be kept from reading the user's configuration."""
_MAX_GITFILE: Final = 64 * 1024

_OVERRIDES: Final = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("core.askPass", ""),
    ("core.sshCommand", "false"),
    ("core.gitProxy", ""),
    ("core.alternateRefsCommand", "false"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("gpg.program", "false"),
    ("log.showSignature", "false"),
    ("protocol.allow", "never"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
)
_FLAGS: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
)
_FILTER: Final = re.compile(r"filter\.(.*)\.[^.]*", re.DOTALL)
_STATUS: Final = {"A": "added", "M": "modified", "D": "deleted", "T": "type_changed"}
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}\Z")


@dataclass(frozen=True)
class GitContext:
    """What policies see as ``input.git`` (None when there is nothing to see), and why it is less
    than it could be.  Paths are relative to the repository."""

    info: dict[str, Any] | None
    degradations: tuple[Degradation, ...] = ()


class GitError(Exception):
    """Git cannot say: the code and message of a degradation."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def git_context(
    root: Path, *, base: str | None = None, environ: Mapping[str, str] | None = None
) -> GitContext:
    """What Git says about the folder ``root``.

    ``base`` is what the change is compared with: a branch, tag or commit.  ``environ`` is that
    of a CI system, asked for what a detached checkout stands for and for the base.  Never
    raises for what the repository is or holds.
    """
    environ = environ or {}
    try:
        work_tree = find_work_tree(root)
        repository = Repository(work_tree)
        repository.open()
        info = repository.read(root, base or base_ref(environ), environ)
    except GitError as error:
        return GitContext(None, (Degradation(code=error.code, message=error.message),))
    return GitContext(info, tuple(repository.degradations))


def base_ref(environ: Mapping[str, str]) -> str | None:
    """The branch that a pull or merge request is for, as CI systems say it."""
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        if environ.get(name):
            return f"origin/{environ[name]}"
    return None


# --- finding the repository -----------------------------------------------------------------------


def find_work_tree(root: Path) -> str:
    """The folder of the checkout that ``root`` stands in."""
    try:
        # GitPython takes a tenth of a second to import, and fails where there is no git program.
        import git
    except ImportError:
        raise GitError("git_missing", "there is no git program, so nothing is known") from None
    real = os.path.realpath(root)
    _check_entries(real)
    try:
        with git.Repo(real, search_parent_directories=True, expand_vars=False) as repository:
            work_tree = repository.working_tree_dir
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise GitError("git_absent", "the files stand in no Git repository") from None
    except Exception as error:
        # GitPython parses hostile files in more ways than it documents failures.
        raise GitError("git_failed", f"the repository cannot be read: {_line(error)}") from None
    if work_tree is None:
        raise GitError("git_bare", "the files stand in a bare repository")
    return os.fspath(work_tree)


def _check_entries(path: str) -> None:
    """Refuse a ``.git`` that is neither a folder nor a small file: reading it may never end."""
    while True:
        try:
            found = os.stat(os.path.join(path, ".git"))
        except OSError:
            above = os.path.dirname(path)
            if above == path:
                return
            path = above
            continue
        small = stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_GITFILE
        if not small and not stat.S_ISDIR(found.st_mode):
            raise GitError("git_failed", "there is a .git that belongs to no repository")
        return


# --- asking git -----------------------------------------------------------------------------------


@dataclass
class Repository:
    """One checkout and the questions to it."""

    work_tree: str
    degradations: list[Degradation] = field(default_factory=list)
    config: list[tuple[str, str]] = field(default_factory=list)
    overrides: list[tuple[str, str]] = field(default_factory=lambda: list(_OVERRIDES))

    def open(self) -> None:
        """Check that Git may look at the repository, and disarm its configuration."""
        words = self.text("version").split()
        version = re.match(r"(\d+)\.(\d+)", words[2]) if len(words) > 2 else None
        if version is None or (int(version[1]), int(version[2])) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise GitError("git_too_old", f"git {oldest} or newer is needed")
        if "dubious ownership" in self._try("rev-parse", "--git-dir")[1]:
            # The operator may have said that this folder is safe all the same.
            self.overrides += [("safe.directory", path) for path in self._safe_directories()]
            if "dubious ownership" in self._try("rev-parse", "--git-dir")[1]:
                raise GitError(
                    "git_unsafe_directory",
                    "the repository belongs to another user, and safe.directory does not name it",
                )
        for item in self.run("config", "--null", "--list").split("\0"):
            key, _, value = item.partition("\n")
            self.config.append((key, value))
        filters = {m[1] for key, _ in self.config if (m := _FILTER.fullmatch(key))}
        for name in sorted(filters):
            self.overrides += [
                (f"filter.{name}.{part}", "") for part in ("clean", "smudge", "process")
            ]
            self.overrides.append((f"filter.{name}.required", "false"))

    def read(self, root: Path, base: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
        """Everything policies see."""
        commit = self.commit("HEAD")
        if commit is None:
            raise GitError("git_no_commit", "the repository has no commit yet")
        prefix = os.path.relpath(os.path.realpath(root), os.path.realpath(self.work_tree))
        prefix = "" if prefix == "." else prefix
        info: dict[str, Any] = {"commit": commit, "prefix": shown_name(prefix)}
        ref = self._ref(commit, environ)
        if ref is not None:
            info["ref"] = ref
            if ref.startswith("refs/heads/"):
                info["branch"] = ref.removeprefix("refs/heads/")
        info["tags"] = self._tags(commit)
        if info["tags"]:
            info["tag"] = info["tags"][0]
        info["dirty"], info["untracked"] = self._status(prefix)
        info["shallow"] = self.text("rev-parse", "--is-shallow-repository") == "true"
        info["changed_files"] = []
        if base is not None:
            self._compare(info, base, commit)
        remote = without_credentials(dict(self.config).get("remote.origin.url", ""))
        if remote:
            info["remote"] = remote
        return info

    # -- questions ---------------------------------------------------------------------------

    def commit(self, name: str) -> str | None:
        """The commit that a name stands for; None when there is none."""
        if not name.isprintable():
            return None  # no name of Git's has such characters, and no program can be given them
        code, _, out = self._answer(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        found = out.strip()
        return found if code == 0 and _COMMIT.match(found) else None

    def _ref(self, commit: str, environ: Mapping[str, str]) -> str | None:
        code, _, out = self._answer("symbolic-ref", "--quiet", "HEAD")
        if code == 0:
            return shown_name(out.strip())
        given = environ.get("GITHUB_REF", "")
        return given if environ.get("GITHUB_SHA") == commit and given.startswith("refs/") else None

    def _tags(self, commit: str) -> list[str]:
        out = self.text(
            "for-each-ref",
            f"--points-at={commit}",
            "--sort=-version:refname",
            "--format=%(refname:strip=2)",
            "refs/tags",
        )
        return self._cut([shown_name(line) for line in out.splitlines()], "tags")

    def _status(self, prefix: str) -> tuple[bool, list[str]]:
        """Whether known files differ from the commit, and the unknown files below ``prefix``."""
        out = self.run(
            "status",
            "--porcelain",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=all",
            "--no-renames",
        )
        changed, untracked = [], []
        for item in filter(None, out.split("\0")):
            path = item[3:]
            if not item.startswith("??"):
                changed.append((item[:2], path))
            elif not prefix or path.startswith(f"{prefix}/"):
                untracked.append(shown_name(path))
        return self._differs(changed), self._cut(untracked, "untracked files")

    def _differs(self, changed: Sequence[tuple[str, str]]) -> bool:
        """Whether any change is a real one.

        The filters of ``.gitattributes`` (Git LFS) are not run.  A file that has one and only
        looks modified in the checkout may be as it was committed.
        """
        unsure = [path for status, path in changed if status == " M"]
        filtered = set(self._filtered(unsure)) if unsure else set()
        if filtered:
            self._degrade(
                "git_filtered_files",
                f"whether {len(filtered)} files that pass through a filter are changed is not "
                "known: no filter is run",
                sorted(map(shown_name, filtered))[:100],
            )
        return any(status != " M" or path not in filtered for status, path in changed)

    def _filtered(self, paths: Sequence[str]) -> Iterator[str]:
        """The paths that have a filter by their attributes."""
        answer = self.run("check-attr", "-z", "--stdin", "filter", given="\0".join(paths) + "\0")
        items = answer.split("\0")
        for path, _, value in zip(items[0::3], items[1::3], items[2::3], strict=False):
            if value not in ("unspecified", "unset", "set"):
                yield path

    def _compare(self, info: dict[str, Any], base: str, commit: str) -> None:
        """Put the files that changed since the base into ``info``."""
        found = self.commit(base)
        code, _, out = (
            self._answer("merge-base", found, commit) if found is not None else (1, "", "")
        )
        start = out.strip()
        if found is None or code != 0 or not _COMMIT.match(start):
            if info["shallow"]:
                why = "the history is cut off; fetch it whole (fetch-depth: 0)"
                self._degrade("git_shallow", f"what changed since {shown_name(base)}: {why}")
            else:
                self._degrade("git_base_unknown", f"there is no {shown_name(base)} to compare with")
            return
        out = self.run(
            "diff-tree", "-r", "-z", "--name-status", "--no-renames", "--no-ext-diff", start, commit
        )
        items = out.split("\0")
        pairs = zip(items[0::2], items[1::2], strict=False)
        files = [
            {"path": shown_name(path), "status": _STATUS[status]}
            for status, path in pairs
            if status in _STATUS
        ]
        info["base"] = {"ref": shown_name(base), "commit": start}
        info["changed_files"] = self._cut(files, "changed files")

    def _safe_directories(self) -> list[str]:
        """The folders that the operator's own configuration calls safe."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        found = _start(["config", "--null", "--get-all", "safe.directory"], os.sep, environ)
        return [
            path for path in found.stdout.decode("utf-8", "surrogateescape").split("\0") if path
        ]

    # -- plumbing ----------------------------------------------------------------------------

    def text(self, *args: str) -> str:
        """The answer without the line end."""
        return self.run(*args).strip()

    def run(self, *args: str, given: str = "") -> str:
        """The answer; raises :class:`GitError` when Git has none."""
        code, error, out = self._answer(*args, given=given)
        if code != 0:
            raise GitError("git_failed", f"git {args[0]} failed: {_line(error)}")
        return out

    def _try(self, *args: str) -> tuple[int, str]:
        code, error, _ = self._answer(*args)
        return code, error

    def _answer(self, *args: str, given: str = "") -> tuple[int, str, str]:
        """Exit code, what Git complained about, and its answer."""
        done = _start([*_FLAGS, *args], self.work_tree, self._environ(), given)
        error = done.stderr.decode("utf-8", "replace")
        return done.returncode, error, done.stdout.decode("utf-8", "surrogateescape")

    def _environ(self) -> dict[str, str]:
        """An environment in which only the repository's own configuration counts, disarmed.

        The overrides stand in variables: in an argument, a name with ``=`` could not be
        overridden.
        """
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "HOME": os.devnull,
            "XDG_CONFIG_HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_WORK_TREE": self.work_tree,
            "GIT_CONFIG_COUNT": str(len(self.overrides)),
        }
        for index, (key, value) in enumerate(self.overrides):
            environ[f"GIT_CONFIG_KEY_{index}"] = key
            environ[f"GIT_CONFIG_VALUE_{index}"] = value
        return environ

    def _degrade(self, code: str, message: str, detail: Any = None) -> None:
        self.degradations.append(Degradation(code=code, message=message, detail=detail))

    def _cut(self, items: list[Any], what: str) -> list[Any]:
        if len(items) > MAX_LISTED:
            self._degrade("git_list_cut", f"of {len(items)} {what} {MAX_LISTED} are listed")
        return items[:MAX_LISTED]


def _start(
    args: Sequence[str], folder: str, environ: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end."""
    try:
        return subprocess.run(  # noqa: S603 - git itself, with nothing the repository chose
            ["git", *args],  # noqa: S607 - found on the operator's PATH
            cwd=folder,
            env=environ,
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError("git_failed", f"git took longer than {_TIMEOUT_S} seconds") from None
    except OSError as error:
        raise GitError("git_missing", f"git cannot be started: {_line(error)}") from None


def _line(error: object) -> str:
    """The first line of a complaint, printable and short."""
    lines = str(error).strip().splitlines()
    return shown_name(lines[0] if lines else "it gave no reason")[:200]


# --- addresses ------------------------------------------------------------------------------------

_URL: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/?#]*@)?(?P<rest>[^?#]*)", re.I)
_SCP: Final = re.compile(r"(?:[^@/:]*@)?(?P<host>[^@/:]+):(?P<path>[^:@][^@]*)\Z")


def without_credentials(address: str) -> str:
    """The address of a remote without user, password, query and fragment; empty when it is none
    that has a host."""
    url = _URL.match(address)
    if url:
        return shown_name(f"{url['scheme']}://{url['rest']}")
    scp = _SCP.match(address)
    return shown_name(f"{scp['host']}:{scp['path']}") if scp else ""
