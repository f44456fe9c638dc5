"""A ref and names of files in the checkout in, copies of what they were at that commit out.

For policies and waivers that must not come from the change under judgement.  Names are taken
as they are written: a symbolic link of the checkout is part of the change, and so is every
local branch.  What counts is a commit named in full, or a branch or tag of the remote.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adjudge.documents.reading import shown_name
from adjudge.errors import InputError, UsageError
from adjudge.gate.gitcontext import GitError, Repository, find_work_tree
from adjudge.source import Location

MAX_FILES: Final = 5_000
MAX_BYTES: Final = 256 * 1024 * 1024
"""Of all files below one name together."""

_FETCH_TIMEOUT_S: Final = 120
_REGULAR: Final = ("100644", "100755")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
# A subset of what git-check-ref-format(1) allows: nothing that means something in a refspec
# or a revision.
_REF: Final = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\+-][^\x00-\x20\x7f~^:?*\[\\]*\Z")


@dataclass(frozen=True)
class _Checkout:
    """A repository, and the commit of it that counts."""

    repository: Repository
    commit: str


class TrustedFiles:
    """Files and folders below the working directory as they are at ``ref``.

    ``ref`` is a full commit id, or the name of a branch or tag of the remote ``origin``.
    ``target`` is an empty folder for the copies.  ``fork`` is the ``owner/name`` of the
    repository a change comes from when that is another one than it is for: names of branches
    and tags there are its author's.
    """

    def __init__(self, ref: str, target: Path, fork: str | None = None) -> None:
        self.ref = ref
        self.target = target
        self.fork = fork
        self._checkouts: dict[str, _Checkout] = {}

    def path(self, name: str) -> str:
        """The path of a copy of ``name``; of ``name`` itself when it is outside the working
        directory, where a change cannot reach.

        Raises UsageError ``git_ref_unknown`` or ``git_ref_untrusted``, InputError
        ``trusted_path_missing``, ``trusted_path_unsafe`` (links, submodules),
        ``trusted_tree_too_large`` or ``git_failed``.
        """
        here = os.path.realpath(".")
        relative = _below(name, here)
        if relative is None:
            return name
        try:
            work_tree = _work_tree(here, relative)
            checkout = self._checkouts.get(work_tree)
            if checkout is None:
                checkout = self._checkouts[work_tree] = self._open(work_tree)
            inside = os.path.relpath(os.path.join(here, relative), work_tree)
            for path, content in _files(checkout, inside, name):
                place = self.target / os.path.relpath(os.path.join(work_tree, path), here)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        except GitError as error:
            raise InputError(
                "git_failed", f"{shown_name(name)} cannot be taken from Git: {error.message}"
            ) from None
        return os.path.normpath(self.target / relative)

    def _open(self, work_tree: str) -> _Checkout:
        repository = Repository(work_tree)
        repository.open()
        if _COMMIT.match(self.ref):
            commit = _commit(repository, self.ref)
        else:
            commit = self._named(repository)
        if commit is None:
            raise UsageError(
                "git_ref_unknown",
                f"there is no commit {shown_name(self.ref)[:100]} here, and fetching it failed",
                hint="name a full commit id, a branch or a tag; check out with fetch-depth: 0",
            )
        return _Checkout(repository, commit)

    def _named(self, repository: Repository) -> str | None:
        """The commit of a branch or tag of the remote; local branches are not looked at."""
        if not _REF.match(self.ref) or ".." in self.ref or "@{" in self.ref:
            return None
        origin = dict(repository.config).get("remote.origin.url", "")
        if self.fork is not None and _is_repository(origin, self.fork):
            raise UsageError(
                "git_ref_untrusted",
                f"the checkout is that of {shown_name(self.fork)}, where the author of the change "
                f"says what {shown_name(self.ref)[:100]} is",
                hint="name a full commit id, or check out the repository the change is for",
            )
        name = re.sub(r"\Arefs/(heads|tags)/|\Aorigin/", "", self.ref)
        for known in (f"refs/remotes/origin/{name}", f"refs/tags/{name}"):
            commit = repository.commit(known)
            if commit is not None:
                return commit
        for wanted in (f"refs/heads/{name}", f"refs/tags/{name}"):
            if _fetch(repository, wanted):
                return repository.commit("FETCH_HEAD")
        return None


# --- names ----------------------------------------------------------------------------------------


def _below(name: str, here: str) -> str | None:
    """``name`` relative to the working directory, links below it not followed; None when it is
    outside."""
    whole = os.path.normpath(os.path.join(here, name))
    above = Path(whole)
    # From the top: a folder of the checkout may lead back to where we are.
    for folder in (*reversed(above.parents), above):
        if os.path.realpath(folder) == here:
            return os.path.relpath(whole, folder)
    real = os.path.realpath(whole)
    for one, other, how in ((real, here, "leads into"), (here, real, "contains")):
        if one.startswith(f"{other.rstrip('/')}/"):
            raise InputError(
                "trusted_path_unsafe",
                f"{shown_name(name)} {how} the checkout of what is judged",
                hint="name it by its path in the checkout, or keep it apart",
            )
    return None


def _work_tree(here: str, relative: str) -> str:
    """The checkout that a file stands in.

    A folder with a ``.git`` folder of its own was checked out there by the workflow: neither
    a commit nor a submodule (which has a ``.git`` file) can bring one along.
    """
    folder = here
    for part in Path(relative).parts:
        folder = os.path.join(folder, part)
        if os.path.islink(folder):
            break
        if os.path.isdir(os.path.join(folder, ".git")):
            return os.path.realpath(find_work_tree(Path(folder)))
    return os.path.realpath(find_work_tree(Path(here)))


def _is_repository(url: str, name: str) -> bool:
    """Whether an address is that of the repository ``owner/name``."""
    path = url.removesuffix("/").removesuffix(".git").replace(":", "/")
    return path.lower().endswith(f"/{name.lower()}")


# --- commits --------------------------------------------------------------------------------------


def _commit(repository: Repository, commit: str) -> str | None:
    found = repository.commit(commit)
    if found is None and _fetch(repository, commit):
        found = repository.commit(commit)
    return found


def _fetch(repository: Repository, wanted: str) -> bool:
    """Ask the remote for one commit; checkouts in CI are shallow.

    The configuration of the runner counts here: it made the checkout and holds the token.
    """
    shallow = repository.text("rev-parse", "--is-shallow-repository") == "true"
    # A depth would cut off the history of a checkout that has all of it.
    depth = ["--depth=1"] if shallow else []
    command = ["git", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
    try:
        done = subprocess.run(  # noqa: S603 - git; what is wanted cannot be an option
            [*command, *depth, "origin", wanted],
            cwd=repository.work_tree,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_FETCH_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


# --- files ----------------------------------------------------------------------------------------


def _files(checkout: _Checkout, inside: str, name: str) -> Iterator[tuple[str, bytes]]:
    """The files at a path of a commit: their paths in the repository and their contents."""
    commit = checkout.commit
    paths, blobs = [], []
    total = 0
    for mode, kind, blob, size, path in _listing(checkout, inside):
        if kind != "blob" or mode not in _REGULAR or ".." in path.split("/"):
            raise InputError(
                "trusted_path_unsafe",
                f"{shown_name(path)} is no regular file at {commit[:12]}",
                location=Location(shown_name(path), 1, 1),
                hint="policies and waivers must be regular files",
            )
        paths.append(path)
        blobs.append(blob)
        total += int(size)
    if not paths:
        raise InputError(
            "trusted_path_missing",
            f"{shown_name(name)} does not exist at {commit[:12]}",
            location=Location(shown_name(name), 1, 1),
            hint="what judges a change must be on its base: merge it first, or name the commit "
            "that has it with policies-ref",
        )
    if len(paths) > MAX_FILES or total > MAX_BYTES:
        raise InputError(
            "trusted_tree_too_large",
            f"{shown_name(name)} holds {len(paths)} files with {total} bytes",
            hint="name the folder of the policies itself",
        )
    yield from zip(paths, _contents(checkout.repository, blobs), strict=True)


def _listing(checkout: _Checkout, inside: str) -> Iterator[tuple[str, str, str, str, str]]:
    where = [] if inside == "." else ["--", inside]
    answer = checkout.repository.run(
        "ls-tree", "-r", "-z", "-l", "--full-tree", checkout.commit, *where
    )
    for entry in filter(None, answer.split("\0")):
        meta, _, path = entry.partition("\t")
        mode, kind, blob, size = meta.split()
        yield mode, kind, blob, size, path


def _contents(repository: Repository, blobs: list[str]) -> Iterator[bytes]:
    """The contents of objects, by one process for all of them (git-cat-file(1), BATCH OUTPUT)."""
    answer = repository.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs))
    data = answer.encode("utf-8", "surrogateescape")
    at = 0
    for _ in blobs:
        end = data.find(b"\n", at)
        words = data[at:end].split()
        if len(words) != 3:
            raise GitError("git_failed", "the checkout does not have all files of the commit")
        size = int(words[2])
        yield data[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
